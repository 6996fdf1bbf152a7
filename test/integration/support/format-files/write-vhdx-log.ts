import { readFileSync, writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import { sealVhdx } from '../../../support/vhdx-image.ts';

// Leaves a VHDX as a machine does that fails between writing an entry of its log and doing what it says ([MS-VHDX]
// section 2.3).
const [, , path = ''] = argv;
const image = readFileSync(path);
const logId = Buffer.alloc(16, 7);
const ENTRY = 4096;
let logAt = 0;
for (const at of [64 * 1024, 128 * 1024]) {
  const header = image.subarray(at, at + ENTRY);
  logId.copy(header, 48);
  logAt = Number(header.readBigUInt64LE(72));
  sealVhdx(header);
}
const entry = image.subarray(logAt, logAt + ENTRY);
entry.fill(0);
entry.write('loge');
entry.writeUInt32LE(ENTRY, 8);
entry.writeBigUInt64LE(1n, 16);
entry.writeUInt32LE(1, 24);
logId.copy(entry, 32);
entry.writeBigUInt64LE(BigInt(image.length), 48);
entry.writeBigUInt64LE(BigInt(image.length), 56);
// Its one descriptor: a part of the disk is to be zeros.
entry.write('zero', 64);
entry.writeBigUInt64LE(BigInt(ENTRY), 72);
entry.writeBigUInt64LE(BigInt(image.length - ENTRY), 80);
entry.writeBigUInt64LE(1n, 88);
sealVhdx(entry);
writeFileSync(path, image);
