import { mkdir, mkdtemp, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { sameDisk, writeRawDisk } from '../support/images.ts';
import { importInPod, type PodRun } from '../support/importer.ts';
import { startNginx } from '../support/nginx.ts';
import { run, type Server } from '../support/processes.ts';
import { writeImageLayout } from '../support/registry.ts';

describe('importer: container disks from archives', () => {
  let directory: string;
  let raw: string;
  let server: Server;
  let rangeless: Server;

  const importFrom = (place: string, more: object = {}): Promise<PodRun> =>
    importInPod(directory, {
      source: { type: 'registry', url: `oci-archive:${place}`, ...more },
      settings: { sourceFiles: directory },
    });
  const succeeds = async ({ result, diskImage }: PodRun): Promise<void> => {
    expect(result.outcome, JSON.stringify(result)).to.equal('succeeded');
    expect(await sameDisk(diskImage, raw)).to.equal(true);
  };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-archive-'));
    raw = join(directory, 'raw.img');
    await writeRawDisk(raw);
    const root = join(directory, 'root');
    await mkdir(join(root, 'disk'), { recursive: true });
    await run('qemu-img', ['convert', '-c', '-O', 'qcow2', raw, join(root, 'disk', 'disk.qcow2')]);
    const layers = [{ root, compression: 'gzip' as const }];
    const environment = ['INSTANCETYPE_KUBEVIRT_IO_DEFAULT_INSTANCETYPE=u1.small'];
    const single = await writeImageLayout(directory, 'single', [{ layers, environment }]);
    const empty = join(directory, 'empty');
    await mkdir(empty);
    const several = await writeImageLayout(directory, 'several', [
      { architecture: 'arm64', layers: [{ root: empty, compression: 'none' }] },
      { architecture: 'amd64', layers },
    ]);
    // The index comes last: what is before it has to be passed over.
    for (const [name, layout] of Object.entries({ single, several })) {
      await run('tar', ['-C', layout, '-cf', join(directory, `${name}.tar`), 'blobs', 'oci-layout', 'index.json']);
    }
    await run('skopeo', ['copy', '-q', `oci:${single}`, `oci-archive:${join(directory, 'skopeo.tar')}`]);
    server = await startNginx({ directory, root: directory });
    rangeless = await startNginx({ directory, root: directory, directives: 'max_ranges 0;' });
  });

  after(async () => {
    await Promise.all([server.stop(), rangeless.stop()]);
    await rm(directory, { recursive: true, force: true });
  });

  it('reads one on a web server, in parts', async () => {
    const run = await importFrom(`http://127.0.0.1:${server.port}/single.tar`);
    await succeeds(run);
    expect(run.result).to.deep.include({
      format: 'qcow2',
      labels: { 'instancetype.kubevirt.io/default-instancetype': 'u1.small' },
    });
  });

  it('reads one in a file, as skopeo writes it too', async () => {
    await succeeds(await importFrom(join(directory, 'single.tar')));
    await succeeds(await importFrom(join(directory, 'skopeo.tar')));
  });

  it('reads one that lacks the end that an archive should have', async () => {
    const cut = join(directory, 'cut.tar');
    await run('tar', ['-b', '1', '-C', join(directory, 'single'), '-cf', cut, 'blobs', 'oci-layout', 'index.json']);
    await truncate(cut, (await stat(cut)).size - 1024);
    await succeeds(await importFrom(cut));
    await succeeds(await importFrom(`http://127.0.0.1:${server.port}/cut.tar`));
  });

  it('chooses the image of the wanted architecture', async () => {
    await succeeds(await importFrom(join(directory, 'several.tar'), { architecture: 'amd64' }));
    const arm = await importFrom(join(directory, 'several.tar'), { architecture: 'arm64' });
    expect(arm.result).to.include({ permanent: true, code: 'DiskNotFound' });
  });

  it('fails for good where the server has no ranges, and on what is not an archive', async () => {
    const whole = await importFrom(`http://127.0.0.1:${rangeless.port}/single.tar`);
    expect(whole.result).to.include({ permanent: true, code: 'RequestRejected' });
    expect(whole.result).to.have.property('message').that.includes('ranges');
    const other = await importFrom(raw);
    expect(other.result).to.include({ permanent: true, code: 'InvalidImage' });
    const missing = await importFrom(join(directory, 'missing.tar'));
    expect(missing.result).to.include({ permanent: true, code: 'SourceNotReadable' });
  });
});
