import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { isStatic } from '../../cluster/static-busybox.ts';

describe('the busybox of the pods that tests run', () => {
  it('is none that needs an interpreter, which the image has not', async () => {
    expect(isStatic(await readFile(process.execPath))).to.equal(false);
  });

  it('is a program that loads itself', () => {
    expect(isStatic(elf([1, 4, 0x6474e551]))).to.equal(true);
    expect(isStatic(elf([1, 3, 4]))).to.equal(false);
  });

  it('is not a script', () => {
    expect(isStatic(Buffer.from('#!/bin/sh\n'.padEnd(100)))).to.equal(false);
  });
});

/** An ELF file with program headers of these types. */
function elf(types: number[]): Buffer {
  const file = Buffer.alloc(64 + types.length * 56);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(file);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(types.length, 56);
  types.forEach((type, index) => file.writeUInt32LE(type, 64 + index * 56));
  return file;
}
