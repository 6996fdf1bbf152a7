import { expect } from 'chai';
import { pack } from 'tar-stream';
import { ByteReader, type ByteStream } from '../../../../src/base/bytes.ts';
import { ArchiveBudget, type ArchiveLimits, archiveLimits } from '../../../../src/image/archive/archive-budget.ts';
import { readTar, type TarEntry } from '../../../../src/image/archive/tar-reader.ts';
import { unwrap } from '../../../../src/image/unwrap/unwrap.ts';
import { DiskFinder } from '../../../../src/source/registry/disk-finder.ts';
import { Layer } from '../../../../src/source/registry/layer.ts';
import { parseManifest, selectPlatform } from '../../../../src/source/registry/manifest.ts';
import { expectProcessorTimeBelow } from '../../../support/processor-time.ts';
import { collect, lend } from '../../base/streams.ts';

const MEBIBYTE = 1024 * 1024;
const digest = `sha256:${'a'.repeat(64)}`;
const disk = Buffer.alloc(128 * 1024, 'disk\0');

/** The header of a member, whatever follows it. */
async function header(name: string, size: number): Promise<Buffer> {
  const packing = pack();
  packing.entry({ name, size });
  for await (const chunk of packing) return Buffer.from(chunk as Buffer);
  throw new Error('no header');
}

async function tar(...members: [name: string, content: Buffer | string][]): Promise<Buffer> {
  const packing = pack();
  for (const [name, content] of members) packing.entry({ name }, content);
  packing.finalize();
  return collect(packing as AsyncIterable<Buffer>);
}

/** A stream that has begun, and goes on for ever. */
async function* endless(start: Buffer, again: Buffer): ByteStream {
  yield start;
  for (;;) yield again;
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

async function through(
  bytes: ByteStream,
  limits: Partial<ArchiveLimits> = {},
  signal?: AbortSignal,
): Promise<string[]> {
  const paths: string[] = [];
  const budget = new ArchiveBudget({ limits: { ...archiveLimits, ...limits }, signal });
  for await (const { path } of readTar(new ByteReader(bytes), { budget })) paths.push(path);
  return paths;
}

describe('what is passed over in an archive', () => {
  it('is refused before it is read, where it is too much', async () => {
    const bytes = endless(await header('large', 65 * 1024 * MEBIBYTE), Buffer.alloc(MEBIBYTE, 'x'));
    const failure = await failureOf(through(bytes));
    expect(failure).to.include({ code: 'UnsupportedImage', permanent: true });
    expect((failure as Error).message).to.match(/more than 64 GiB besides its disk image/);
  });

  it('is counted for all members together, and may be as much as the limit', async () => {
    const bytes = await tar(['a', Buffer.alloc(3000)], ['b', Buffer.alloc(3000)]);
    const needed = 2 * (512 + 3072);
    expect(await through(lend(bytes, []), { skippedBytes: needed })).to.deep.equal(['a', 'b']);
    const failure = await failureOf(through(lend(bytes, []), { skippedBytes: needed - 1 }));
    expect(failure).to.include({ code: 'UnsupportedImage' });
  });

  it('has as many members as the limit at most', async () => {
    const bytes = await tar(['a', ''], ['b', ''], ['c', '']);
    expect(await through(lend(bytes, []), { members: 3 })).to.have.length(3);
    const failure = await failureOf(through(lend(bytes, []), { members: 2 }));
    expect(failure).to.include({ code: 'UnsupportedImage', permanent: true });
    expect((failure as Error).message).to.match(/more than 2 members/);
  });

  it('has a limit where members, or headers that belong to none, never end', async function () {
    this.timeout(20_000);
    expect(await failureOf(through(endless(await header('a', 0), await header('a', 0))))).to.include({
      code: 'UnsupportedImage',
    });
    const extension = await header('a', 0);
    extension.write('g', 156);
    // The checksum, of which the type is a part: '0' has become 'g'.
    extension.write(
      (Number.parseInt(extension.toString('latin1', 148, 154), 8) + 0x67 - 0x30).toString(8).padStart(6, '0'),
      148,
    );
    expect(await failureOf(through(endless(extension, extension)))).to.include({ code: 'InvalidImage' });
  });

  it('has names that a file system would take', async () => {
    const long = await tar([`${'x/'.repeat(2048)}`, '']);
    expect(await through(lend(long, []))).to.have.length(1);
    expect(await failureOf(through(lend(await tar([`${'x/'.repeat(2048)}x`, '']), [])))).to.include({
      code: 'InvalidImage',
    });
  });

  it('lets others get on, and ends when it is told to', async () => {
    const block = Buffer.alloc(4096, 'x');
    const member = 60 * 1024 * MEBIBYTE;
    let sent = 0;
    const bytes = (async function* () {
      for await (const piece of endless(await header('large', member), block)) {
        sent += piece.length;
        yield piece;
      }
    })();
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('told to stop')), 50);
    const failure = await failureOf(through(bytes, {}, controller.signal));
    expect(failure).to.have.property('message', 'told to stop');
    // Within the member, and not after it.
    expect(sent).to.be.below(member / 2);
  });

  it('includes what follows the end, and what is in nested archives', async () => {
    const limits = { ...archiveLimits, skippedBytes: 3 * MEBIBYTE };
    const read = async (bytes: ByteStream): Promise<Buffer> => {
      const { reader } = await unwrap(new ByteReader(bytes), undefined, 'here', {
        budget: new ArchiveBudget({ limits }),
      });
      return collect(reader.rest());
    };
    const archive = await tar(['disk.img', disk]);
    expect(await read(lend(Buffer.concat([archive, Buffer.alloc(2 * MEBIBYTE)]), []))).to.deep.equal(disk);
    expect(await failureOf(read(endless(archive, Buffer.alloc(MEBIBYTE))))).to.include({ code: 'UnsupportedImage' });

    const text = 'text\n'.repeat(400_000);
    const inner = await tar(['notes', text], ['disk.img', disk]);
    expect(await read(lend(inner, []))).to.deep.equal(disk);
    expect(await failureOf(read(lend(await tar(['notes', text], ['inner.tar', inner]), [])))).to.include({
      code: 'UnsupportedImage',
    });
  });
});

describe('what is passed over in an image’s layers', () => {
  const entry = (path: string, stored = 0, type: TarEntry['type'] = 'file'): TarEntry => ({
    path,
    type,
    size: stored,
    stored,
    offset: undefined,
    body: lend(Buffer.alloc(0), []),
  });

  it('has a limit for all of them together', () => {
    const finder = new DiskFinder({ members: 4, skippedBytes: 1000 });
    finder.accept(entry('etc/a', 600));
    finder.descend();
    finder.accept(entry('etc/b', 400));
    expect(() => finder.accept(entry('etc/c', 1)))
      .to.throw()
      .with.property('code', 'UnsupportedImage');
    expect(new DiskFinder({ members: 4, skippedBytes: 1000 }).accept(entry('disk/a', 10_000))).to.equal(true);

    const counting = new DiskFinder({ members: 2, skippedBytes: 1000 });
    counting.accept(entry('a'));
    counting.descend();
    counting.accept(entry('b'));
    expect(() => counting.accept(entry('c'))).to.throw(/more than 2 members/);
  });

  it('has a limit of names, and of their length and depth', () => {
    const limits = { members: 1_000_000, skippedBytes: 1000 };
    const refused = (names: Iterable<string>): (() => void) => {
      const finder = new DiskFinder(limits);
      return () => {
        for (const name of names) finder.accept(entry(name, 0, 'other'));
      };
    };
    function* numbered(count: number, start: string): Generator<string> {
      for (let index = 0; index < count; index += 1) yield `${start}${index}`;
    }
    expect(refused(numbered(100_000, 'disk/'))).not.to.throw();
    expect(refused(numbered(100_001, 'disk/'))).to.throw(/more than 100000 files below \/disk\//);
    expect(refused(numbered(5000, `disk/${'x'.repeat(4000)}`))).to.throw(/characters together/);
    expect(refused([`disk/${'a/'.repeat(32)}x`])).not.to.throw();
    expect(refused([`disk/${'a/'.repeat(33)}x`])).to.throw(/32 deep/);
  });

  it('takes no time that grows with more than the names', () => {
    const finder = new DiskFinder({ members: 1_000_000, skippedBytes: 1000 });
    finder.accept(entry('disk/.wh.other'));
    finder.accept(entry('disk/.wh.a'));
    finder.descend();
    expectProcessorTimeBelow(2000, () => {
      for (let index = 0; index < 15_000; index += 1) {
        expect(finder.accept(entry(`disk/${'a/'.repeat(30)}${'x'.repeat(1000)}${index}`))).to.equal(false);
      }
    });
  });

  it('includes what follows the end of a layer', async () => {
    const layer = await Layer.open(endless(await tar(['etc/a', 'text']), Buffer.alloc(MEBIBYTE)), digest, 'here');
    for await (const { path } of layer.entries) expect(path).to.equal('etc/a');
    expect(await failureOf(layer.finish())).to.include({ code: 'UnsupportedImage' });

    const withDisk = await Layer.open(endless(await tar(['disk/a', disk]), Buffer.alloc(MEBIBYTE)), digest, 'here', {
      ...archiveLimits,
      skippedBytes: 10 * MEBIBYTE,
    });
    const { value } = await withDisk.entries.next();
    if (value === undefined) throw new Error('no disk');
    expect(await failureOf(collect(withDisk.contentsOf(value)))).to.include({ code: 'UnsupportedImage' });
  });
});

describe('documents of an image', () => {
  const descriptor = { digest, size: 1 };

  it('name as many layers and images as the limits at most', () => {
    const manifest = (layers: number): string =>
      JSON.stringify({ config: descriptor, layers: Array.from({ length: layers }, () => descriptor) });
    const index = (count: number): string =>
      JSON.stringify({ manifests: Array.from({ length: count }, () => descriptor) });
    for (const [document, limited] of [
      [manifest(1000), manifest(1001)],
      [index(1000), index(1001)],
    ] as const) {
      expect(() => parseManifest(document, 'here')).not.to.throw();
      expect(() => parseManifest(limited, 'here'))
        .to.throw(/more than 1000/)
        .with.property('code', 'UnsupportedImage');
    }
  });

  it('are not repeated at length where no image fits', () => {
    const manifests = Array.from({ length: 1000 }, (_, number) => ({
      ...descriptor,
      platform: { architecture: `${number}-${'x'.repeat(1000)}` },
    }));
    const parsed = parseManifest(JSON.stringify({ manifests }), 'here');
    if (!('index' in parsed)) throw new Error('no index');
    const { index } = parsed;
    expect(() => selectPlatform(index, 'amd64', 'here')).to.throw(/^.{100,1300}$/);
  });
});
