import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseCheckpoint } from '../../../src/transfer/checkpoint/checkpoint.ts';
import { compareArrived } from '../../../src/transfer/copy/arrived-files.ts';
import { CHECKPOINT_NAME, CheckpointFile, CheckpointTail } from '../../../src/transfer/copy/copy-checkpoint.ts';
import { cloneRefusal, parseOffer, parseState, stateHeaders } from '../../../src/transfer/copy/copy-protocol.ts';
import { type DiskExtent, encodeExtents, ExtentDecoder } from '../../../src/transfer/copy/extent-stream.ts';
import { PieceReader, PieceWriter } from '../../../src/transfer/copy/piece-stream.ts';
import { below, type Random } from '../mutate.ts';
import { survive, Violation } from './subject.ts';

const DISK_SIZE = 64 * 1024;
const contentId = 'ab'.repeat(32);
const clone = { contentId, from: 4096, target: { identity: 'inode 1', written: [[0, 4096]] }, durableBefore: '17000' };

/** What goes from one end of a clone to the other, and what is left on a volume for the next attempt. */
export async function makeCloneSeeds(): Promise<Buffer[]> {
  const extents = encodeExtents({ size: DISK_SIZE, extents: disk() });
  const sent: Buffer[] = [];
  const plain: Buffer[] = [];
  const writer = new PieceWriter(async (bytes) => void sent.push(Buffer.from(bytes)));
  for await (const some of extents) {
    for (const buffer of some) {
      plain.push(Buffer.from(buffer));
      await writer.add(buffer);
    }
  }
  await writer.end();
  const offer = { 'x-cdi-content-type': 'blockdevice-clone', 'x-diskpress-content-id': contentId };
  const checkpoint = {
    ...{ version: 1, source: { location: 'a', version: 'b' }, format: 'raw', wrappers: [], position: 4096 },
    ...{ target: { identity: 'inode 1' }, samples: [{ offset: 0, length: 512, sha256: 'ab' }] },
  };
  return [
    Buffer.concat(sent),
    Buffer.concat(plain),
    ...[{ ...offer, 'x-diskpress-virtual-size': '65536', 'x-diskpress-from': '0' }, clone, checkpoint].map((value) =>
      Buffer.from(JSON.stringify(value)),
    ),
    Buffer.from('5 1700000000.1234567890 644 a/file\x007 1700000001.0000000000 600 other\0'),
  ];
}

async function* disk(): AsyncGenerator<DiskExtent[]> {
  yield [
    { offset: 0, length: 3000, data: Buffer.alloc(3000, 'data') },
    { offset: 3000, length: 1096 },
  ];
  yield [{ offset: 4096, length: DISK_SIZE - 4096, data: Buffer.alloc(DISK_SIZE - 4096, 'more') }];
}

/** Lets both ends of a clone loose on what may have come from the other, or from a volume. */
export async function attemptClone(bytes: Buffer, random: Random): Promise<void> {
  await survive(() => readPieces(bytes, random));
  await survive(() => decode(new ExtentDecoder(DISK_SIZE), 0, bytes));
  const json = parse(bytes.toString());
  if (typeof json === 'object' && json !== null) {
    await survive(() => parseOffer(json as Record<string, string>));
    const state = parseState(json as Record<string, string>);
    if (state !== undefined) stateHeaders(state);
  }
  cloneRefusal.safeParse(json);
  parseCheckpoint(bytes.toString());
  const folder = mkdtempSync(join(tmpdir(), 'diskpress-fuzz-clone-'));
  try {
    await readCheckpoints(folder, bytes);
    if (below(random, 20) === 0) await survive(() => compareArrived(folder, bytes));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function readPieces(bytes: Buffer, random: Random): Promise<void> {
  const decoder = new ExtentDecoder(DISK_SIZE);
  let end = 0;
  const reader = new PieceReader(async (piece) => {
    end = decode(decoder, end, piece);
  });
  try {
    for (let at = 0; at < bytes.length;) {
      const length = 1 + below(random, 70_000);
      await reader.add(bytes.subarray(at, at + length));
      at += length;
    }
    await reader.end();
    decoder.end();
  } finally {
    await reader.settle();
  }
  if (end !== DISK_SIZE) throw new Violation(`a disk that ends at ${end} was taken for whole`);
}

/** @returns the end of the last extent */
function decode(decoder: ExtentDecoder, from: number, piece: Buffer): number {
  let end = from;
  for (const decoded of decoder.decode(piece)) {
    if ('code' in decoded) {
      if (decoded.offset >= DISK_SIZE) throw new Violation(`a check of a block at ${decoded.offset}`);
      continue;
    }
    const { offset, length, data } = decoded;
    if (offset !== end || length <= 0 || offset + length > DISK_SIZE || (data && data.length !== length)) {
      throw new Violation(`an extent of ${length} bytes at ${offset} where ${end} was due`);
    }
    end = offset + length;
  }
  return end;
}

async function readCheckpoints(folder: string, bytes: Buffer): Promise<void> {
  writeFileSync(join(folder, CHECKPOINT_NAME), bytes);
  const device = join(folder, 'device');
  writeFileSync(device, Buffer.concat([Buffer.alloc(64 * 1024), bytes.subarray(0, 64 * 1024)]));
  for (const store of [new CheckpointFile(folder), await CheckpointTail.on(device, '')]) {
    const checkpoint = await store.read();
    if (checkpoint === undefined) continue;
    BigInt(checkpoint.durableBefore ?? 0);
    const { from } = checkpoint;
    const state = stateHeaders({ volumeMode: 'Block', arrived: { contentId: checkpoint.contentId, from } });
    const strings = Object.fromEntries(Object.entries(state).map(([name, value]) => [name, String(value)]));
    if (parseState(strings) === undefined) throw new Violation('a checkpoint that cannot be told');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
