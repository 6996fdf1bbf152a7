import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { asTransferError } from '../../../src/base/errors.ts';
import { Progress } from '../../../src/base/progress.ts';
import type { Source } from '../../../src/base/source.ts';
import { FileSink } from '../../../src/sink/file-sink.ts';
import { FileSource } from '../../../src/source/kinds/file-source.ts';
import { importImage } from '../../../src/transfer/import/import-image.ts';
import { inspectImage } from '../../../src/transfer/inspect-image.ts';
import { repository } from '../../cluster/folders.ts';
import { images } from '../support/format-files/images.ts';
import { packed } from '../support/format-files/packed.ts';
import { noDisks, rawDisks } from '../support/format-files/raw-disks.ts';
import { noise, sameDisk } from '../support/images.ts';

const MEBIBYTE = 1024 * 1024;

/** What docs/formats.md says becomes of what. */
const documented = new Map(
  [...readFileSync(join(repository, 'docs/formats.md'), 'utf8').matchAll(/^\| (.+?) +\| .+? +\| (.+?) +\|$/gm)]
    .map(([, kind = '', outcome = '']): [string, string] => [kind, outcome])
    .filter(([, outcome]) => /^(imported|refused)/.test(outcome)),
);

/** The same bytes, of which nothing is known before they have come. */
function asStream(source: Source): Source {
  return {
    location: source.location,
    open: async () => ({ bytes: (await source.open()).bytes, size: undefined, mediaType: undefined }),
    openRanges: () => Promise.resolve(undefined),
    close: () => source.close(),
  };
}

describe('docs/formats.md', () => {
  let folder: string;
  const made = { ...images, ...packed, ...rawDisks, ...noDisks };

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'diskpress-table-'));
    const disk = Buffer.alloc(8 * MEBIBYTE);
    noise('start', 700_000).copy(disk);
    disk.fill('compressible ', 2 * MEBIBYTE, 2 * MEBIBYTE + 500_000);
    noise('end', 50_000).copy(disk, 8 * MEBIBYTE - 100_000);
    writeFileSync(join(folder, 'disk.img'), disk);
    writeFileSync(join(folder, 'empty'), '');
    mkdirSync(join(folder, 'files'));
    for (const name of ['one', 'two']) writeFileSync(join(folder, 'files', name), noise(name, 100_000));
    shell('truncate -s 8M ext4.img; mkfs.ext4 -q -F -d files ext4.img; truncate -s 8M ntfs.img');
  });

  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function shell(script: string, directory = folder, out = ''): void {
    const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
    execFileSync('sh', ['-ec', script], {
      cwd: directory,
      stdio: 'pipe',
      env: { ...process.env, OUT: out, PATH: path },
    });
  }

  /** What the table says of it: the format, or code and message. */
  async function outcomeOf(source: Source, target: string, scratchDirectory: string): Promise<string> {
    const progress = new Progress();
    const sink = new FileSink({ path: target, preallocation: false }, progress);
    try {
      const { format } = await importImage({ source, sink, progress, scratchDirectory });
      return `imported as ${format}`;
    } catch (error) {
      expect(existsSync(target) && readFileSync(target).some((byte) => byte !== 0), 'leftovers').to.equal(false);
      const { code, message } = asTransferError(error);
      return `refused, ${code}: ${message.replaceAll(source.location, 'NAME')}`;
    }
  }

  /** What `diskpress inspect` says, as far as the start of what is packed, and the end of what is not, tell it. */
  async function inspected(source: Source): Promise<string> {
    try {
      const { format, wrappers, refusal } = await inspectImage(source);
      if (refusal !== undefined) return 'refused';
      return `imported as ${format}${wrappers.length > 0 ? ', unpacked' : ''}`;
    } catch (error) {
      return `refused, ${asTransferError(error).code}`;
    }
  }

  it('has a row for each kind that is made here, and no others', () => {
    expect([...documented.keys()]).to.have.members(Object.keys(made));
  });

  for (const [kind, scripts] of Object.entries(made)) {
    it(`is right about ${kind}`, async () => {
      for (const script of scripts) {
        const directory = mkdtempSync(join(folder, 'made-'));
        const file = join(directory, 'NAME');
        for (const name of ['disk.img', 'ext4.img', 'ntfs.img', 'empty'])
          copyFileSync(join(folder, name), join(directory, name));
        shell('cp -r ../files .', directory);
        shell(script, directory, file);
        const expected = documented.get(kind) ?? '';
        const told = await inspected(new FileSource(file, new Progress()));
        const seen = new RegExp(`^(${expected}|imported as \\w+, unpacked)$`);
        if (expected.startsWith('imported')) expect(told, script).to.match(seen);
        else expect(told, script).not.to.equal('imported as raw');
        for (const way of [(source: Source) => source, asStream]) {
          const target = join(directory, 'target');
          const outcome = await outcomeOf(way(new FileSource(file, new Progress())), target, directory);
          expect(outcome, script).to.match(matching(expected));
          if (!outcome.startsWith('imported')) continue;
          expect(await sameDisk(target, kind in rawDisks ? file : join(folder, 'disk.img')), script).to.equal(true);
        }
        rmSync(directory, { recursive: true });
      }
    });
  }
});

/** In the table, … stands for what differs. */
function matching(outcome: string): RegExp {
  const parts = outcome.replaceAll('`', '').split('…');
  return new RegExp(`^${parts.map((part) => part.replaceAll(/[^\w\s]/g, '\\$&')).join('.*')}$`);
}
