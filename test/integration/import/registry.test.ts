import { mkdir, mkdtemp, open as openFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { sameDisk, writeRawDisk } from '../support/images.ts';
import { importInPod, type PodRun } from '../support/importer.ts';
import { mountOf } from '../support/mounts.ts';
import { run, type Server } from '../support/processes.ts';
import { type LayerContents, pushImage, startRegistry, writeImageLayout } from '../support/registry.ts';
import { startRegistryTokenServer } from '../support/registry-token-server.ts';

/** An archive of a folder, without its last bytes. */
async function copyWithout(directory: string, root: string, missing: number): Promise<string> {
  const archive = join(directory, `without-${missing}.tar`);
  await run('tar', ['-b', '1', '-C', root, '-cf', archive, 'etc/hostname']);
  await truncate(archive, (await stat(archive)).size - missing);
  return archive;
}

describe('importer: container disks from a registry', () => {
  const credentials = { user: 'someone', password: 'pass word' };
  let directory: string;
  let raw: string;
  let open: Server;
  let closed: Server;

  const push = async (name: string, layers: LayerContents[], environment: string[] = []): Promise<void> => {
    await pushImage(await writeImageLayout(directory, name, [{ layers, environment }]), open.port, `${name}:v1`);
  };
  const importFrom = (port: number, name: string, more: object = {}): Promise<PodRun> =>
    importInPod(directory, { source: { type: 'registry', url: `docker://127.0.0.1:${port}/${name}`, ...more } });
  /** A layer with one file in it. */
  const layerWith = async (name: string, path: string, content: Buffer | string): Promise<string> => {
    const root = join(directory, `root-${name}`);
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), content);
    return root;
  };
  let diskRoot: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-registry-'));
    raw = join(directory, 'raw.img');
    await writeRawDisk(raw);
    diskRoot = join(directory, 'disk-root');
    await mkdir(join(diskRoot, 'disk'), { recursive: true });
    await run('qemu-img', ['convert', '-c', '-O', 'qcow2', raw, join(diskRoot, 'disk', 'disk.qcow2')]);
    [open, closed] = await Promise.all([startRegistry({ directory }), startRegistry({ directory, credentials })]);
  });

  after(async () => {
    await Promise.all([open.stop(), closed.stop()]);
    await rm(directory, { recursive: true, force: true });
  });

  for (const compression of ['gzip', 'zstd', 'none'] as const) {
    it(`reads a qcow2 below /disk/ from a layer compressed with ${compression}`, async () => {
      await push(
        compression,
        [{ root: diskRoot, compression }],
        ['PATH=/bin', 'INSTANCETYPE_KUBEVIRT_IO_DEFAULT_INSTANCETYPE=u1.small'],
      );
      const { exitCode, result, diskImage } = await importFrom(open.port, `${compression}:v1`);
      expect(result).to.deep.include({
        outcome: 'succeeded',
        format: 'qcow2',
        virtualSize: 64 * 1024 * 1024,
        labels: { 'instancetype.kubevirt.io/default-instancetype': 'u1.small' },
      });
      expect(exitCode).to.equal(0);
      expect(await sameDisk(raw, diskImage)).to.equal(true);
    });
  }

  it('says what a registry of plain http needs', async () => {
    const url = `docker://127.0.0.1:${open.port}/gzip:v1`;
    const { result } = await importInPod(directory, { source: { type: 'registry', url, insecureRegistry: false } });
    expect(result).to.include({ outcome: 'failed', code: 'TlsFailed', permanent: true });
    expect(result)
      .to.have.property('message')
      .that.matches(/does not speak TLS.*insecureRegistries/);
  });

  it('looks in lower layers and heeds whiteouts', async () => {
    const old = await layerWith('old', 'disk/old.img', 'x'.repeat(1024));
    const hiding = await layerWith('hiding', 'disk/.wh.old.img', '');
    const other = await layerWith('other', 'etc/os-release', 'ID=none\n');
    await push('layers', [
      { root: diskRoot, compression: 'gzip' },
      { root: old, compression: 'gzip' },
      { root: hiding, compression: 'gzip' },
      { root: other, compression: 'gzip' },
    ]);
    const { result, diskImage } = await importFrom(open.port, 'layers:v1');
    expect(result.outcome).to.equal('succeeded');
    expect(await sameDisk(raw, diskImage)).to.equal(true);
  });

  it('refuses a bootable container by its labels, before a layer is read, and otherwise tells it by its folders', async () => {
    const system = await layerWith('system', 'usr/lib/bootc/kargs.toml', 'kargs = []');
    const layers = [{ root: system, compression: 'gzip' as const }];
    const labelled = { layers, labels: { 'containers.bootc': '1', 'ostree.bootable': 'true' } };
    await pushImage(await writeImageLayout(directory, 'bootc', [labelled]), open.port, 'bootc:v1');
    const { result } = await importFrom(open.port, 'bootc:v1');
    expect(result).to.include({ outcome: 'failed', permanent: true, code: 'UnsupportedImage' });
    expect(result)
      .to.have.property('message')
      .that.matches(/its label containers\.bootc says so.* bootc-image-builder/);
    await push('unlabelled', layers);
    const { result: other } = await importFrom(open.port, 'unlabelled:v1');
    expect(other).to.include({ outcome: 'failed', permanent: true, code: 'DiskNotFound' });
    expect(other)
      .to.have.property('message')
      .that.matches(/it is a bootable container, .* bootc-image-builder/);
  });

  it('sees only what the upper layers leave of the lower ones', async () => {
    const linked = await layerWith('linked', 'images/other.img', '');
    await run('ln', ['-s', 'images', join(linked, 'disk')]);
    await push('replaced', [
      { root: diskRoot, compression: 'gzip' },
      { root: linked, compression: 'gzip' },
    ]);
    const { result } = await importFrom(open.port, 'replaced:v1');
    expect(result).to.include({ outcome: 'failed', permanent: true, code: 'DiskNotFound' });
    expect(result)
      .to.have.property('message')
      .that.matches(/\/disk is a symbolic link to images/);
  });

  it('follows a hard link out of the folder, and passes over what is no disk', async () => {
    const root = await layerWith('beside', 'disk/README', 'Boot it, and log in as root.\n');
    await writeFile(join(root, 'disk', 'LICENSE.gz'), gzipSync('as is\n'.repeat(20_000)));
    await mkdir(join(root, 'a-images'));
    await run('qemu-img', ['convert', '-O', 'qcow2', raw, join(root, 'a-images', 'disk.qcow2')]);
    await run('ln', [join(root, 'a-images', 'disk.qcow2'), join(root, 'disk', 'a.qcow2')]);
    await push('links', [{ root, compression: 'gzip' }]);
    const linked = await importFrom(open.port, 'links:v1');
    expect(linked.result, JSON.stringify(linked.result)).to.include({ outcome: 'succeeded', format: 'qcow2' });
    expect(await sameDisk(raw, linked.diskImage)).to.equal(true);
    await run('cp', [join(root, 'a-images', 'disk.qcow2'), join(root, 'disk', 'z.qcow2')]);
    await run('rm', [join(root, 'disk', 'a.qcow2')]);
    await push('readme', [{ root, compression: 'zstd' }]);
    const beside = await importFrom(open.port, 'readme:v1');
    expect(beside.result, JSON.stringify(beside.result)).to.include({ outcome: 'succeeded', format: 'qcow2' });
    expect(await sameDisk(raw, beside.diskImage)).to.equal(true);
  });

  it('names the file in the image that is no disk', async () => {
    await push('text', [{ root: await layerWith('text', 'disk/README', 'Boot it.\n'), compression: 'gzip' }]);
    const { result } = await importFrom(open.port, 'text:v1');
    expect(result).to.include({ outcome: 'failed', permanent: true, code: 'NotAnImage' });
    expect(result)
      .to.have.property('message')
      .that.matches(/\/disk\/README in .*text:v1 is text/);
  });

  for (const missing of [1024, 1024 + 300]) {
    it(`reads a layer whose archive lacks its last ${missing} bytes, as some programs write them`, async () => {
      const archive = join(directory, 'unended.tar');
      const notes = Buffer.alloc(600, 'notes');
      const root = await layerWith(`unended-${missing}`, 'zzz/notes', notes);
      await run('cp', ['-r', join(diskRoot, 'disk'), root]);
      await run('tar', ['-b', '1', '--sort=name', '-C', root, '-cf', archive, '.']);
      const { size } = await stat(archive);
      await truncate(archive, size - missing);
      await push(`unended-${missing}`, [{ archive, compression: 'none' }]);
      const { result, diskImage } = await importFrom(open.port, `unended-${missing}:v1`);
      expect(result, JSON.stringify(result)).to.include({ outcome: 'succeeded', format: 'qcow2' });
      expect(await sameDisk(raw, diskImage)).to.equal(true);
      const below = await layerWith(`above-${missing}`, 'etc/hostname', 'x');
      await push(`unended-above-${missing}`, [
        { root: diskRoot, compression: 'gzip' },
        { archive: await copyWithout(directory, below, missing), compression: 'none' },
      ]);
      expect((await importFrom(open.port, `unended-above-${missing}:v1`)).result.outcome).to.equal('succeeded');
    });
  }

  it('says that an artifact is not an image', async () => {
    const file = join(directory, 'no-archive');
    await run('cp', [join(diskRoot, 'disk', 'disk.qcow2'), file]);
    await push('artifact', [{ archive: file, compression: 'none' }]);
    const { result } = await importFrom(open.port, 'artifact:v1');
    expect(result).to.include({ outcome: 'failed', permanent: true, code: 'UnsupportedImage' });
    expect(result)
      .to.have.property('message')
      .that.matches(/artifact/);
  });

  it('chooses the image of the wanted architecture from an index', async () => {
    const other = await layerWith('arm', 'disk/disk.img', Buffer.alloc(2048, 'arm\0'));
    const layout = await writeImageLayout(directory, 'index', [
      { architecture: 'arm64', layers: [{ root: other, compression: 'gzip' }] },
      { architecture: 'amd64', layers: [{ root: diskRoot, compression: 'gzip' }] },
    ]);
    await pushImage(layout, open.port, 'index:v1');
    const arm = await importFrom(open.port, 'index:v1', { architecture: 'arm64' });
    expect(arm.result).to.include({ outcome: 'succeeded', format: 'raw', virtualSize: 2048 });
    const missing = await importFrom(open.port, 'index:v1', { architecture: 's390x' });
    expect(missing.result).to.include({ outcome: 'failed', permanent: true, code: 'PlatformNotFound' });
  });

  it('logs in where the registry asks for it, and says when it may not', async () => {
    const layout = await writeImageLayout(directory, 'private', [
      { layers: [{ root: diskRoot, compression: 'gzip' }] },
    ]);
    await pushImage(layout, closed.port, 'org/private:v1', { credentials });
    const refused = await importFrom(closed.port, 'org/private:v1');
    expect(refused.result).to.include({ outcome: 'failed', permanent: true, code: 'Unauthorized' });
    const secret = join(directory, 'secret');
    await mkdir(secret);
    await writeFile(join(secret, 'accessKeyId'), credentials.user);
    await writeFile(join(secret, 'secretKey'), `${credentials.password}\n`);
    const allowed = await importInPod(directory, {
      source: { type: 'registry', url: `docker://127.0.0.1:${closed.port}/org/private:v1` },
      settings: { credentials: secret },
    });
    expect(allowed.result.outcome).to.equal('succeeded');
  });

  it('takes manifests of Docker’s own kind', async () => {
    const layout = await writeImageLayout(directory, 'docker', [{ layers: [{ root: diskRoot, compression: 'gzip' }] }]);
    await pushImage(layout, open.port, 'docker:v1', { more: ['--format', 'v2s2'] });
    expect((await importFrom(open.port, 'docker:v1')).result.outcome).to.equal('succeeded');
  });

  it('fails for good on an unknown image and on one without a disk', async () => {
    const unknown = await importFrom(open.port, 'nothing/here:v1');
    expect(unknown.result).to.include({ outcome: 'failed', permanent: true, code: 'NotFound' });
    await push('no-disk', [{ root: await layerWith('none', 'etc/hostname', 'x'), compression: 'gzip' }]);
    const empty = await importFrom(open.port, 'no-disk:v1');
    expect(empty.result).to.include({ outcome: 'failed', permanent: true, code: 'DiskNotFound' });
  });

  it('gets a token from the server that the registry names', async () => {
    const tokens = await startRegistryTokenServer(directory, credentials);
    const registry = await startRegistry({ directory, tokens: tokens.forRegistry });
    try {
      const layers = [{ root: diskRoot, compression: 'gzip' as const }];
      await pushImage(await writeImageLayout(directory, 'token', [{ layers }]), registry.port, 'org/token:v1', {
        credentials,
      });
      const source = { type: 'registry' as const, url: `docker://127.0.0.1:${registry.port}/org/token:v1` };
      const login = await mountOf(directory, { accessKeyId: credentials.user, secretKey: credentials.password });
      const { result } = await importInPod(directory, { source, settings: { credentials: login } });
      expect(result.outcome, JSON.stringify(result)).to.equal('succeeded');
      expect((await importInPod(directory, { source })).result).to.include({ permanent: true, code: 'Unauthorized' });
    } finally {
      await Promise.all([registry.stop(), tokens.stop()]);
    }
  });

  it('takes the entry of a Docker configuration that is for the registry', async () => {
    const layout = await writeImageLayout(directory, 'config', [{ layers: [{ root: diskRoot, compression: 'gzip' }] }]);
    await pushImage(layout, closed.port, 'org/config:v1', { credentials });
    const auth = Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64');
    const importWith = async (registry: string): Promise<PodRun> =>
      importInPod(directory, {
        source: { type: 'registry', url: `docker://127.0.0.1:${closed.port}/org/config:v1` },
        settings: {
          credentials: await mountOf(directory, {
            '.dockerconfigjson': JSON.stringify({ auths: { [registry]: { auth } } }),
          }),
        },
      });
    expect((await importWith(`127.0.0.1:${closed.port}`)).result.outcome).to.equal('succeeded');
    expect((await importWith('registry.example.org')).result).to.include({ permanent: true, code: 'Unauthorized' });
  });

  it('does not accept a layer that was tampered with', async () => {
    await push('tampered', [{ root: diskRoot, compression: 'none' }]);
    const { stdout: bySize } = await run('ls', ['-S', join(directory, 'tampered', 'blobs', 'sha256')]);
    const [layer = ''] = bySize.split('\n');
    const blobs = join(directory, `registry-${open.port}`, 'data/docker/registry/v2/blobs/sha256');
    const blob = await openFile(join(blobs, layer.slice(0, 2), layer, 'data'), 'r+');
    // The last bytes of a layer are padding, which no decoder would miss.
    await blob.write(Buffer.from('tampered'), 0, 8, (await blob.stat()).size - 8);
    await blob.close();
    const { result, volume } = await importFrom(open.port, 'tampered:v1');
    expect(result).to.include({ outcome: 'failed', permanent: true, code: 'ChecksumMismatch' });
    const { stdout: left } = await run('ls', ['-A', volume]);
    expect(left).to.equal('');
  });
});
