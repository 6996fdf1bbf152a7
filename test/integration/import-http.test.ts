import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { importInPod } from './support/importer.ts';
import { startNginx } from './support/nginx.ts';
import type { Server } from './support/processes.ts';
import { run } from './support/processes.ts';

describe('importer: raw images over http', () => {
  let directory: string;
  let root: string;
  let server: Server;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-http-'));
    root = join(directory, 'www');
    await mkdir(root);
    const image = await open(join(root, 'disk.img'), 'w');
    await image.truncate(64 * 1024 * 1024);
    await image.write(randomBytes(3_000_000), 0, 3_000_000, 1_234_567);
    await image.write(randomBytes(100_000), 0, 100_000, 50 * 1024 * 1024 + 1);
    await image.close();
    server = await startNginx({ directory, root });
  });

  after(async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('writes the image sparsely and grows it to the usable size', async () => {
    const { result, diskImage, exitCode } = await importInPod(directory, {
      source: { url: `http://127.0.0.1:${server.port}/disk.img` },
    });
    expect(exitCode).to.equal(0);
    expect(result).to.include({ outcome: 'succeeded', format: 'raw', virtualSize: 64 * 1024 * 1024 });
    const { stdout } = await run('qemu-img', ['compare', '-f', 'raw', '-F', 'raw', diskImage, join(root, 'disk.img')]);
    expect(stdout).to.match(/identical/);
    const { size, blocks, mode } = await stat(diskImage);
    expect(size).to.equal(94 * 1024 * 1024);
    expect(blocks * 512).to.be.lessThan(4 * 1024 * 1024);
    expect(mode & 0o777).to.equal(0o660);
  });
});
