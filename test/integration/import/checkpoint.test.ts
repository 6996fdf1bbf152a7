import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import type { OutgoingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { CuttingProxy } from '../support/cutting-proxy.ts';
import { noise, sameDisk } from '../support/images.ts';
import { startNginx } from '../support/nginx.ts';
import { run, type Server } from '../support/processes.ts';
import { RangedServer } from '../support/ranged-server.ts';

const MEBIBYTE = 1024 * 1024;
const SIZE = 48 * MEBIBYTE;

interface Finished {
  steps: string[];
  bytesRead: number;
  bytesSkipped: number;
}

describe('importer: killed', () => {
  let directory: string;
  let root: string;
  let raw: string;
  let server: Server;
  let slow: Server;

  /** Runs an import; undefined when it was killed after so many bytes of the source. */
  const attempt = async (
    url: string,
    target: string,
    lifetime = Infinity,
    checksum?: string,
  ): Promise<Finished | undefined> => {
    const script = fileURLToPath(new URL('../support/killed-import.ts', import.meta.url));
    const parameters = [script, url, target, lifetime.toString(), ...(checksum === undefined ? [] : [checksum])];
    const child = spawn(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    if (signal === 'SIGKILL') return undefined;
    expect(code).to.equal(0);
    return JSON.parse(output) as Finished;
  };
  const newTarget = async (): Promise<string> => join(await mkdtemp(join(directory, 'target-')), 'disk.img');
  const at = (name: string, { port } = server): string => `http://127.0.0.1:${port}/${name}`;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-checkpoint-'));
    root = join(directory, 'www');
    await mkdir(root);
    raw = join(root, 'disk.img');
    const content = Buffer.alloc(SIZE);
    for (let offset = 0; offset < SIZE; offset += 3 * MEBIBYTE) {
      noise(`at ${offset}`, MEBIBYTE).copy(content, offset + 12_345);
      content.fill(`text at ${offset} `, offset + 1.5 * MEBIBYTE, offset + 2.5 * MEBIBYTE);
    }
    await writeFile(raw, content);
    await run('qemu-img', ['convert', '-O', 'qcow2', raw, join(root, 'disk.qcow2')]);
    await run('qemu-img', ['convert', '-c', '-O', 'qcow2', raw, join(root, 'compressed.qcow2')]);
    for (const format of ['qcow', 'vdi', 'vmdk', 'vpc', 'vhdx']) {
      await run('qemu-img', ['convert', '-O', format, raw, join(root, `disk.${format}`)]);
    }
    await run('gzip', ['--keep', '-1', raw]);
    server = await startNginx({ directory, root });
    slow = await startNginx({ directory, root, directives: 'limit_rate 8m;' });
  });

  after(async () => {
    await Promise.all([server.stop(), slow.stop()]);
    await rm(directory, { recursive: true, force: true });
  });

  for (const name of [
    'disk.img',
    'disk.qcow2',
    'compressed.qcow2',
    'disk.qcow',
    'disk.vdi',
    'disk.vmdk',
    'disk.vpc',
    'disk.vhdx',
    'disk.img.gz',
  ]) {
    it(`goes on with ${name}, wherever it was killed, five times`, async () => {
      const target = await newTarget();
      for (let kills = 0; kills < 5; kills += 1) {
        const lifetime = Math.floor((0.6 + Math.random()) * MEBIBYTE);
        expect(await attempt(at(name), target, lifetime)).to.equal(undefined);
      }
      const finished = await attempt(at(name), target);
      expect(finished?.steps).to.include('resuming');
      if (!name.endsWith('.gz')) expect(finished?.bytesSkipped).to.be.greaterThan(0);
      expect(await sameDisk(target, raw)).to.equal(true);
      expect(await readdir(dirname(target))).to.deep.equal([basename(target)]);
    });
  }

  it('goes on with the disk of an archive, and not with what was taken for it first', async () => {
    const members = join(directory, 'members');
    await mkdir(members);
    await writeFile(join(members, 'a.vmem'), noise('of a memory', SIZE));
    const disk = await readFile(raw);
    disk.writeUInt16LE(0xaa55, 510);
    await writeFile(join(members, 'b.img'), disk);
    await run('tar', ['--sort=name', '-C', members, '-cf', join(root, 'memory.tar'), '.']);
    const target = await newTarget();
    expect(await attempt(at('memory.tar'), target, 16 * MEBIBYTE), 'in the first file').to.equal(undefined);
    expect(await attempt(at('memory.tar'), target, SIZE), 'in the second file').to.equal(undefined);
    const finished = await attempt(at('memory.tar'), target);
    expect(finished?.steps).to.include('resuming');
    expect(finished?.steps).not.to.include('looking for another disk in the archive');
    expect(await sameDisk(target, join(members, 'b.img'))).to.equal(true);
  });

  for (const name of ['disk.img', 'disk.qcow2', 'disk.vdi', 'disk.vmdk']) {
    it(`does not download again what is there of ${name}`, async () => {
      const target = await newTarget();
      const proxy = new CuttingProxy({ to: slow.port });
      try {
        const url = `http://127.0.0.1:${await proxy.listen()}/${name}`;
        expect(await attempt(url, target, 16 * MEBIBYTE)).to.equal(undefined);
        await attempt(url, target);
        expect(proxy.bytes).to.be.lessThan(1.2 * SIZE);
        expect(await sameDisk(target, raw)).to.equal(true);
      } finally {
        await proxy.close();
      }
    });
  }

  it('checks all of what it reads where there is a checksum', async () => {
    const target = await newTarget();
    const checksum = `sha256:${createHash('sha256')
      .update(await readFile(raw))
      .digest('hex')}`;
    expect(await attempt(at('disk.img'), target, 16 * MEBIBYTE, checksum)).to.equal(undefined);
    const finished = await attempt(at('disk.img'), target, Infinity, checksum);
    expect(finished?.steps).to.include('resuming');
    expect(finished).to.include({ bytesRead: SIZE, bytesSkipped: 0 });
    expect(await sameDisk(target, raw)).to.equal(true);
  });

  it('begins anew where the source has changed in between', async () => {
    const target = await newTarget();
    await copyFile(raw, join(root, 'changing.img'));
    expect(await attempt(at('changing.img'), target, 16 * MEBIBYTE)).to.equal(undefined);
    const other = noise('changed', SIZE);
    await writeFile(join(root, 'new'), other);
    await utimes(join(root, 'new'), 1, 1);
    await rename(join(root, 'new'), join(root, 'changing.img'));
    expect((await attempt(at('changing.img'), target))?.steps).to.include('starting over');
    expect((await readFile(target)).equals(other)).to.equal(true);
  });

  it('goes on with what a cache knew no length of at first', async () => {
    const content = await readFile(raw);
    let isCold = true;
    for (const headers of [{ etag: '"1"' }, { 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT' }]) {
      isCold = true;
      const cache = await RangedServer.start(content, {
        headers: () => headers,
        // As Varnish does while it has not got all of it.
        intercept: (_, response) => {
          if (isCold) response.writeHead(200, headers).end(content);
          return isCold;
        },
      });
      const target = await newTarget();
      expect(await attempt(`${cache.url}/disk.img`, target, 16 * MEBIBYTE)).to.equal(undefined);
      isCold = false;
      expect((await attempt(`${cache.url}/disk.img`, target))?.steps).to.include('resuming');
      expect(await sameDisk(target, raw)).to.equal(true);
      cache.close();
    }
  });

  it('begins anew where the source has another size, be its date the same', async () => {
    const target = await newTarget();
    const headers = (): OutgoingHttpHeaders => ({ 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT' });
    const content = await readFile(raw);
    const [shorter, longer] = await Promise.all([
      RangedServer.start(content, { headers, rate: 64 * MEBIBYTE }),
      RangedServer.start(Buffer.concat([content, Buffer.alloc(MEBIBYTE, 'more')]), { headers }),
    ]);
    let served = shorter;
    const first = await RangedServer.start(content, {
      intercept: (_, response) => {
        response.writeHead(302, { location: served.url }).end();
        return true;
      },
    });
    expect(await attempt(`${first.url}/disk.img`, target, 16 * MEBIBYTE)).to.equal(undefined);
    served = longer;
    expect((await attempt(`${first.url}/disk.img`, target))?.steps).to.include('starting over');
    for (const server of [first, shorter, longer]) server.close();
  });

  it('does not believe a checkpoint that does not fit the target', async () => {
    const target = await newTarget();
    expect(await attempt(at('disk.qcow2'), target, 16 * MEBIBYTE)).to.equal(undefined);
    await writeFile(target, Buffer.alloc(SIZE));
    expect((await attempt(at('disk.qcow2'), target))?.steps).to.include('starting over');
    expect(await sameDisk(target, raw)).to.equal(true);
  });
});
