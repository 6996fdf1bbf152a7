import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Progress } from '../../../src/base/progress.ts';
import { FileSink } from '../../../src/sink/file-sink.ts';
import { HttpSource } from '../../../src/source/kinds/http-source.ts';
import { importImage } from '../../../src/transfer/import/import-image.ts';
import { staticBusybox } from '../../cluster/static-busybox.ts';
import { startApache } from '../support/apache.ts';
import { CuttingProxy } from '../support/cutting-proxy.ts';
import { sameDisk, writeRawDisk } from '../support/images.ts';
import { startNginx } from '../support/nginx.ts';
import { freePort, run, type Server, startServer } from '../support/processes.ts';

const MEBIBYTE = 1024 * 1024;
const SIZE = 24 * MEBIBYTE;
const patience = { giveUpAfter: 5000, firstDelay: 10, longestDelay: 50 };

/**
 * With what real servers make of ranges, dates and tags; of files that were written a moment ago as well as old ones.
 */
describe('importer: web servers', () => {
  let directory: string;
  let root: string;
  let raw: string;

  /** Each connection ends after some megabytes. @returns bytes that were sent, and whether it was begun again */
  const importThrough = async (server: Server, path: string): Promise<{ bytes: number; steps: string[] }> => {
    const steps: string[] = [];
    const progress = new Progress((step) => steps.push(step));
    const target = join(await mkdtemp(join(directory, 'target-')), 'disk.img');
    const proxy = new CuttingProxy({ to: server.port, cutAfter: 5 * MEBIBYTE });
    try {
      await importImage({
        source: new HttpSource({ url: `http://127.0.0.1:${await proxy.listen()}${path}`, patience }, progress),
        sink: new FileSink({ path: target, preallocation: false }, progress),
        progress,
      });
    } finally {
      await proxy.close();
    }
    expect(await sameDisk(target, raw), path).to.equal(true);
    return { bytes: proxy.bytes, steps };
  };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-web-'));
    await chmod(directory, 0o755);
    root = join(directory, 'www');
    await mkdir(root);
    raw = join(root, 'old.img');
    await writeRawDisk(raw, SIZE);
    await run('qemu-img', ['convert', '-O', 'qed', raw, join(root, 'old.qed')]);
    for (const name of ['old.img', 'old.qed']) await utimes(join(root, name), 1_700_000_000, 1_700_000_000);
  });

  after(() => rm(directory, { recursive: true, force: true }));

  const kinds: [name: string, start: () => Promise<Server>][] = [
    ['Apache', () => startApache({ directory, root })],
    ['Apache without tags', () => startApache({ directory, root, directives: 'FileETag None' })],
    ['nginx', () => startNginx({ directory, root })],
    ['nginx without tags', () => startNginx({ directory, root, directives: 'etag off;' })],
    [
      'busybox',
      async () => {
        const port = await freePort();
        const program = join(directory, 'busybox');
        // Where it is not installed, it lies where only its owner may look.
        await copyFile((await staticBusybox()) ?? 'busybox is missing', program);
        await chmod(program, 0o755);
        return startServer(program, ['httpd', '-f', '-p', `127.0.0.1:${port}`, '-h', root], port);
      },
    ],
  ];
  for (const [name, start] of kinds) {
    describe(name, () => {
      let server: Server;

      before(async () => {
        server = await start();
      });

      after(() => server.stop());

      for (const age of ['old', 'new']) {
        it(`sends what is missing of ${age} files`, async () => {
          for (const extension of ['img', 'qed']) {
            const path = `/${age}.${extension}`;
            // Written the moment before it is asked for.
            if (age === 'new') await copyFile(join(root, `old.${extension}`), join(root, `new.${extension}`));
            const { bytes, steps } = await importThrough(server, path);
            expect(steps, path).not.to.include('restarting');
            if (extension === 'img') expect(bytes, path).to.be.lessThan(1.3 * SIZE);
          }
        });
      }
    });
  }

  it('takes Python’s, which has no ranges', async () => {
    const port = await freePort();
    const parameters = ['-m', 'http.server', '--bind', '127.0.0.1', '--directory', root, `${port}`];
    const server = await startServer('python3', parameters, port);
    try {
      const progress = new Progress();
      const target = join(directory, 'python.img');
      await importImage({
        source: new HttpSource({ url: `http://127.0.0.1:${port}/old.img`, patience }, progress),
        sink: new FileSink({ path: target, preallocation: false }, progress),
        progress,
      });
      expect((await readFile(target)).equals(await readFile(raw))).to.equal(true);
    } finally {
      await server.stop();
    }
  });
});
