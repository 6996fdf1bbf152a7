import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { pack } from 'tar-stream';
import { ByteReader, type ByteStream } from '../../../src/base/bytes.ts';
import { unpackTar } from '../../../src/transfer/unpack.ts';
import { collect } from '../base/streams.ts';

describe('an archive that is unpacked', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-unpack-'));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  /** The same member over and over: it fills no volume. */
  async function* endless(): ByteStream {
    const packing = pack();
    packing.entry({ name: 'again' }, Buffer.alloc(1024 * 1024));
    packing.finalize();
    const whole = await collect(packing as AsyncIterable<Buffer>);
    const member = whole.subarray(0, whole.length - 1024);
    for (;;) yield member;
  }

  it('ends when it is told to, though its volume never fills up', async () => {
    const controller = new AbortController();
    const unpacking = unpackTar(new ByteReader(endless()), directory, 'here', { signal: controller.signal });
    const failure = unpacking.catch((reason: unknown) => reason);
    while (!(await readdir(directory)).includes('again'));
    controller.abort(new Error('told to stop'));
    expect(await failure).to.have.property('message', 'told to stop');
  });

  it('is refused where it is longer than what its volume can hold', async () => {
    const longest = 100 * 1024 * 1024;
    const failure = await unpackTar(new ByteReader(endless()), directory, 'here', { longest }).catch(
      (reason: unknown) => reason,
    );
    expect(failure).to.include({ code: 'UnsupportedImage', permanent: true });
    expect((failure as Error).message).to.match(/more than 100 MiB/);
  });
});
