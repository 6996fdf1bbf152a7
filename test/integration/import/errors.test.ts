import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, deflateRawSync } from 'node:zlib';
import { expect } from 'chai';
import { noise, sameDisk, writeRawDisk } from '../support/images.ts';
import { importInPod, type PodOptions, type PodRun } from '../support/importer.ts';
import { startNginx } from '../support/nginx.ts';
import { freePort, run, type Server } from '../support/processes.ts';

const MEBIBYTE = 1024 * 1024;

describe('importer: permanent failures', () => {
  let directory: string;
  let root: string;
  let raw: string;
  let server: Server;

  const importFrom = (name: string, source: object = {}, target: PodOptions['target'] = {}): Promise<PodRun> =>
    importInPod(directory, { source: { url: `http://127.0.0.1:${server.port}/${name}`, ...source }, target });
  const expectFailure = async (run: PodRun, code: string, message: RegExp = /./): Promise<void> => {
    expect(run.exitCode).to.equal(1);
    expect(run.result).to.include({ outcome: 'failed', permanent: true, code });
    expect(run.result).to.have.property('message').that.matches(message);
    expect(await readdir(run.volume)).to.deep.equal([]);
  };
  const sha256 = async (path: string): Promise<string> =>
    createHash('sha256')
      .update(await readFile(path))
      .digest('hex');

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-errors-'));
    root = join(directory, 'www');
    await mkdir(root);
    raw = join(root, 'disk.img');
    await writeRawDisk(raw);
    await run('qemu-img', ['convert', '-c', '-O', 'qcow2', raw, join(root, 'disk.qcow2')]);
    await run('sh', ['-c', 'gzip -1 -c "$1" > "$2"', 'sh', raw, join(root, 'disk.img.gz')]);
    server = await startNginx({
      directory,
      root,
      directives: `location /gone/ { return 410; } location /teapot/ { return 418; }
        location ~ ^/as-(?<coding>[a-z-]+)/(?<name>.*)$ { alias ${root}/$name; add_header Content-Encoding $coding; }`,
    });
  });

  after(async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('says that there is no such host', async () => {
    const run = await importInPod(directory, {
      source: { url: 'http://no-such-host.invalid/disk.img' },
      settings: { patience: { giveUpAfter: 1000, firstDelay: 100, longestDelay: 500 } },
    });
    // Where no name server answers at all, that is all that can be known.
    if (run.result.outcome === 'failed' && run.result.code === 'HostLookupFailed') return;
    await expectFailure(run, 'HostNotFound', /no-such-host\.invalid/);
  });

  it('says that there is no such file', async () => {
    await expectFailure(await importFrom('missing.img'), 'NotFound', /missing\.img/);
    await expectFailure(await importFrom('gone/'), 'NotFound');
    await expectFailure(await importFrom('teapot/'), 'RequestRejected', /418/);
  });

  it('does not accept a file with another checksum, and keeps nothing of it', async () => {
    const other = '0'.repeat(64);
    for (const name of ['disk.img', 'disk.qcow2', 'disk.img.gz']) {
      await expectFailure(await importFrom(name, { checksum: `sha256:${other}` }), 'ChecksumMismatch', /0000/);
      const right = await importFrom(name, { checksum: `sha256:${await sha256(join(root, name))}` });
      expect(right.result.outcome).to.equal('succeeded');
      expect(await sameDisk(right.diskImage, raw)).to.equal(true);
    }
    await expectFailure(await importFrom('disk.img', { checksum: 'sha256:abc' }), 'InvalidRequest');
  });

  it('takes the checksum of an image that is read piece by piece', async () => {
    await run('qemu-img', ['convert', '-O', 'qed', raw, join(root, 'disk.qed')]);
    const checksum = `sha256:${await sha256(join(root, 'disk.qed'))}`;
    expect((await importFrom('disk.qed', { checksum })).result.outcome).to.equal('succeeded');
    await expectFailure(await importFrom('disk.qed', { checksum: `md5:${'1'.repeat(32)}` }), 'ChecksumMismatch');
  });

  it('counts what follows the compressed data in the checksum as well', async () => {
    const trailing = Buffer.concat([await readFile(join(root, 'disk.img.gz')), Buffer.alloc(300_000)]);
    await writeFile(join(root, 'trailing.gz'), trailing);
    const checksum = `sha256:${createHash('sha256').update(trailing).digest('hex')}`;
    expect((await importFrom('trailing.gz', { checksum })).result.outcome).to.equal('succeeded');
    const wrong = `sha256:${await sha256(join(root, 'disk.img.gz'))}`;
    await expectFailure(await importFrom('trailing.gz', { checksum: wrong }), 'ChecksumMismatch');
  });

  it('refuses by its name what a server says that was done to the bytes, and they do not show', async () => {
    await writeFile(join(root, 'coded.br'), brotliCompressSync(await readFile(join(root, 'disk.qcow2'))));
    await writeFile(join(root, 'coded.deflate'), deflateRawSync(await readFile(join(root, 'disk.qcow2'))));
    for (const coding of ['br', 'deflate', 'compress', 'dcb']) {
      const name = `as-${coding}/coded.${coding === 'br' ? 'br' : 'deflate'}`;
      await expectFailure(await importFrom(name), 'UnsupportedImage', new RegExp(`Content-Encoding ${coding}\\b`));
    }
    for (const name of ['as-gzip/disk.img.gz', 'as-identity/disk.qcow2', 'as-aws-chunked/disk.qcow2']) {
      expect((await importFrom(name)).result.outcome, name).to.equal('succeeded');
    }
  });

  it('recognises what is not an image', async () => {
    const texts: Record<string, string | Buffer> = {
      'page.img': '<!DOCTYPE html>\n<html><body>Please log in</body></html>',
      'error.xml': '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
      'text.img': 'this is not an image\n',
      'error.json': '{"error": "not found"}',
      'archive.zip': Buffer.concat([Buffer.from('PK\x03\x04'), noise('zip', 4092)]),
    };
    for (const [name, content] of Object.entries(texts)) {
      await writeFile(join(root, name), content);
      await expectFailure(await importFrom(name), 'NotAnImage');
    }
    const stated = await importInPod(directory, {
      source: { url: `http://127.0.0.1:${server.port}/archive.zip` },
      format: 'raw',
    });
    expect(stated.result).to.include({ outcome: 'succeeded', format: 'raw', virtualSize: 4096 });
    await writeFile(join(root, 'empty.img'), '');
    await expectFailure(await importFrom('empty.img'), 'NotAnImage', /empty/);
  });

  it('never takes a truncated file for a whole one', async () => {
    await run('sh', ['-c', 'xz -1 -c "$1" > "$2"', 'sh', join(root, 'disk.qcow2'), join(root, 'disk.xz')]);
    for (const name of ['disk.img.gz', 'disk.qcow2', 'disk.xz']) {
      const whole = await readFile(join(root, name));
      for (const share of [0.3, 0.9]) {
        await writeFile(join(root, 'truncated'), whole.subarray(0, Math.floor(whole.length * share)));
        await expectFailure(await importFrom('truncated'), 'TruncatedImage', /^http.*\/truncated: the /);
      }
    }
  });

  it('refuses damaged files', async () => {
    // Within the deflated data of the one, and the first L2 table of the other.
    const places = { 'disk.img.gz': 100_000, 'disk.qcow2': 4 * 65536 };
    for (const [name, at] of Object.entries(places)) {
      const damaged = await readFile(join(root, name));
      damaged.fill(2, at, at + 5000);
      await writeFile(join(root, 'damaged'), damaged);
      await expectFailure(await importFrom('damaged'), 'InvalidImage', /^http.*\/damaged: the /);
    }
  });

  it('refuses images that lack a part', async () => {
    const backed = ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', raw, join(root, 'backed.qcow2')];
    await run('qemu-img', backed);
    await expectFailure(await importFrom('backed.qcow2'), 'UnsupportedImage', /backing file/);
    const apart = ['-o', `data_file=${join(root, 'data.raw')}`];
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', ...apart, join(root, 'apart.qcow2'), '10M']);
    await expectFailure(await importFrom('apart.qcow2'), 'UnsupportedImage', /another file/);
    const [base, delta] = [join(root, 'base.vmdk'), join(root, 'delta.vmdk')];
    await run('qemu-img', ['create', '-q', '-f', 'vmdk', base, '10M']);
    await run('qemu-img', ['create', '-q', '-f', 'vmdk', '-b', base, '-F', 'vmdk', delta]);
    await expectFailure(await importFrom('delta.vmdk'), 'UnsupportedImage', /other files/);
    await writeFile(join(root, 'parts.vmdk'), '# Disk DescriptorFile\nversion=1\nRW 20480 FLAT "/etc/shadow" 0\n');
    await expectFailure(await importFrom('parts.vmdk'), 'UnsupportedImage', /several files/);
  });

  it('refuses an encrypted image', async () => {
    const encrypted = await readFile(join(root, 'disk.qcow2'));
    encrypted.writeUInt32BE(2, 32);
    await writeFile(join(root, 'encrypted.qcow2'), encrypted);
    await expectFailure(await importFrom('encrypted.qcow2'), 'UnsupportedImage', /encrypted/);
  });

  it('says both sizes when the image is too large, before and while writing', async () => {
    const target = { capacity: 40 * MEBIBYTE };
    for (const name of ['disk.img', 'disk.qcow2', 'disk.qed', 'disk.img.gz']) {
      const sizes = /the image is (6|at least 3)[0-9.]+ MiB .* has room for 3[0-9.]+ MiB /;
      await expectFailure(await importFrom(name, {}, target), 'ImageTooLarge', sizes);
    }
  });

  it('retries in vain only as long as it was told to, and says what was wrong', async () => {
    const port = await freePort();
    const { exitCode, result } = await importInPod(directory, {
      source: { url: `http://127.0.0.1:${port}/disk.img` },
      settings: { patience: { giveUpAfter: 300, firstDelay: 50, longestDelay: 100 } },
    });
    expect(exitCode).to.equal(1);
    expect(result).to.include({ outcome: 'failed', permanent: false, code: 'ConnectionRefused' });
  });
});
