import { constants } from 'node:fs';
import { type FileHandle, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { alignableLength, alignedPart } from '../../../../src/base/native/aligned-memory.ts';
import { KernelAio } from '../../../../src/base/native/kernel-aio.ts';

const BLOCK = 4096;
/** More than are in flight at once. */
const BLOCKS = 200;

describe('asynchronous input and output of the kernel', () => {
  const aio = KernelAio.create();
  let folder: string;
  let file: FileHandle;

  before(function () {
    if (aio === null) this.skip();
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'diskpress-aio-'));
    file = await open(join(folder, 'disk.img'), constants.O_RDWR | constants.O_CREAT | constants.O_DIRECT);
  });

  afterEach(async () => {
    await file.close();
    await rm(folder, { recursive: true });
  });

  it('reads what it has written, however much is requested at once', async () => {
    const content = aligned(BLOCKS * BLOCK);
    for (let block = 0; block < BLOCKS; block += 1) content.fill(block + 1, block * BLOCK, (block + 1) * BLOCK);
    await file.truncate(content.length);
    const places = Array.from({ length: BLOCKS }, (_, block) => block * BLOCK).reverse();
    const written = await Promise.all(
      places.map(async (at) => aio?.write(file.fd, content.subarray(at, at + BLOCK), at)),
    );
    expect(new Set(written)).to.deep.equal(new Set([BLOCK]));
    expect((await readFile(join(folder, 'disk.img'))).equals(content)).to.equal(true);
    const found = aligned(content.length);
    await Promise.all(places.map(async (at) => aio?.read(file.fd, found.subarray(at, at + BLOCK), at)));
    expect(found.equals(content)).to.equal(true);
  });

  it('reads less at the end of a file', async () => {
    const memory = aligned(2 * BLOCK);
    await aio?.write(file.fd, memory.subarray(0, BLOCK), 0);
    expect(await aio?.read(file.fd, memory, 0)).to.equal(BLOCK);
  });

  it('says why it cannot read or write, and goes on with the rest', async () => {
    const memory = aligned(BLOCK);
    const [unaligned, closed, good] = await Promise.allSettled([
      aio?.write(file.fd, memory.subarray(1, 100), 1),
      aio?.write(1_000_000, memory, 0),
      aio?.write(file.fd, memory, 0),
    ]);
    expect(unaligned).to.have.nested.property('reason.code', 'EINVAL');
    expect(closed).to.have.property('status', 'rejected');
    expect(good).to.have.property('value', BLOCK);
  });
});

describe('the asynchronous input and output that a process shares', () => {
  it('is looked for once, also where the system does not have it', async () => {
    // A module of its own, because others may have looked already.
    const path = '../../../../src/base/native/kernel-aio.ts?alone';
    const alone = (await import(path)) as { KernelAio: { create: () => null }; kernelAio: () => unknown };
    let looked = 0;
    alone.KernelAio.create = () => {
      looked += 1;
      return null;
    };
    expect([alone.kernelAio(), alone.kernelAio()]).to.deep.equal([null, null]);
    expect(looked).to.equal(1);
  });
});

function aligned(length: number): Buffer {
  return alignedPart(new ArrayBuffer(alignableLength(length)), length);
}
