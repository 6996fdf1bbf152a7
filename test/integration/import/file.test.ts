import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { sameDisk, writeRawDisk } from '../support/images.ts';
import { importInPod, type PodRun } from '../support/importer.ts';
import { run } from '../support/processes.ts';

describe('importer: files of its own container', () => {
  let directory: string;
  let raw: string;
  let sourceFiles: string;

  const importFrom = (path: string, more: object = {}): Promise<PodRun> =>
    importInPod(directory, { source: { type: 'file', path }, settings: { sourceFiles }, ...more });

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-file-'));
    sourceFiles = join(directory, 'sources');
    await mkdir(join(sourceFiles, 'golden'), { recursive: true });
    raw = join(directory, 'raw.img');
    await writeRawDisk(raw);
    const qcow2 = join(sourceFiles, 'golden', 'disk.qcow2');
    await run('qemu-img', ['convert', '-c', '-O', 'qcow2', raw, qcow2]);
    await run('qemu-img', ['convert', '-O', 'qed', raw, join(sourceFiles, 'disk.qed')]);
    await run('tar', ['-C', sourceFiles, '-cf', join(sourceFiles, 'files.tar'), 'golden']);
    await symlink('golden/disk.qcow2', join(sourceFiles, 'latest'));
    await symlink('../raw.img', join(sourceFiles, 'outside'));
  });

  after(() => rm(directory, { recursive: true, force: true }));

  for (const [path, format] of [
    ['golden/disk.qcow2', 'qcow2'],
    ['latest', 'qcow2'],
    ['disk.qed', 'qed'],
  ] as const)
    it(`are imported: ${path}`, async () => {
      const { result, diskImage } = await importFrom(path);
      expect(result).to.include({ outcome: 'succeeded', format });
      expect(await sameDisk(diskImage, raw)).to.equal(true);
    });

  it('are unpacked', async () => {
    const { result, volume } = await importFrom('files.tar', { target: { contentType: 'archive' } });
    expect(result.outcome, JSON.stringify(result)).to.equal('succeeded');
    await run('cmp', [join(volume, 'golden', 'disk.qcow2'), join(sourceFiles, 'golden', 'disk.qcow2')]);
  });

  for (const path of ['../raw.img', 'golden/../../raw.img', 'outside', '/etc/passwd', '/proc/self/environ', 'golden'])
    it(`are not anywhere else, whatever the request says: ${path}`, async () => {
      for (const type of ['file', 'archive'] as const) {
        const { result } = await importFrom(path, type === 'archive' ? archiveAt(path) : {});
        expect(result).to.include({ outcome: 'failed', permanent: true, code: 'SourceNotReadable' });
        expect(result).to.have.property('message').that.includes('only what is in it can be imported');
      }
    });

  it('are there or not', async () => {
    const { result } = await importFrom('missing');
    expect(result).to.include({ outcome: 'failed', permanent: true, code: 'SourceNotReadable' });
  });
});

const archiveAt = (path: string) => ({ source: { type: 'registry', url: `oci-archive:${path}` } });
