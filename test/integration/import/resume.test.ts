import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Progress } from '../../../src/base/progress.ts';
import { FileSink } from '../../../src/sink/file-sink.ts';
import { HttpSource } from '../../../src/source/kinds/http-source.ts';
import { importImage } from '../../../src/transfer/import/import-image.ts';
import { CuttingProxy, type CuttingProxyOptions } from '../support/cutting-proxy.ts';
import { noise, sameDisk, writeRawDisk } from '../support/images.ts';
import { startNginx } from '../support/nginx.ts';
import { freePort, run, type Server } from '../support/processes.ts';
import { SilentServer } from '../support/silent-server.ts';

const MEBIBYTE = 1024 * 1024;
const patience = { giveUpAfter: 2000, firstDelay: 20, longestDelay: 100 };

describe('importer: bad networks', () => {
  let directory: string;
  let raw: string;
  let server: Server;
  let withoutRanges: Server;

  const importFrom = async (url: string, stallTimeout = 5000): Promise<{ disk: string; progress: Progress }> => {
    const progress = new Progress();
    const disk = join(await mkdtemp(join(directory, 'target-')), 'disk.img');
    await importImage({
      source: new HttpSource({ url, patience, stallTimeout }, progress),
      sink: new FileSink({ path: disk, preallocation: false }, progress),
      progress,
    });
    return { disk, progress };
  };
  const through = async (
    options: CuttingProxyOptions,
    work: (port: number, proxy: CuttingProxy) => Promise<void>,
  ): Promise<void> => {
    const proxy = new CuttingProxy(options);
    try {
      await work(await proxy.listen(), proxy);
    } finally {
      await proxy.close();
    }
  };

  /** A server that answers its first requests in its own ways, and then as nginx would. */
  const misbehaving = async (answers: RequestListener[], work: (url: string) => Promise<void>): Promise<void> => {
    const misbehaver = createServer((request, response) => {
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      answer?.(request, response);
    }).listen(0, '127.0.0.1');
    await once(misbehaver, 'listening');
    try {
      await work(`http://127.0.0.1:${(misbehaver.address() as AddressInfo).port}/disk`);
    } finally {
      misbehaver.close();
      misbehaver.closeAllConnections();
    }
  };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-resume-'));
    const root = join(directory, 'www');
    await mkdir(root);
    raw = join(root, 'disk.img');
    await writeRawDisk(raw, 32 * MEBIBYTE);
    await run('qemu-img', ['convert', '-c', '-O', 'qcow2', raw, join(root, 'disk.qcow2')]);
    await run('qemu-img', ['convert', '-O', 'qed', raw, join(root, 'disk.qed')]);
    server = await startNginx({ directory, root });
    withoutRanges = await startNginx({ directory, root, directives: 'max_ranges 0;' });
  });

  after(async () => {
    await Promise.all([server.stop(), withoutRanges.stop()]);
    await rm(directory, { recursive: true, force: true });
  });

  it('goes on where a cut connection ended, however often', async () => {
    await through({ to: server.port, cutAfter: 5 * MEBIBYTE }, async (port, proxy) => {
      const { disk, progress } = await importFrom(`http://127.0.0.1:${port}/disk.img`);
      expect(await sameDisk(disk, raw)).to.equal(true);
      expect(progress.snapshot().retries).to.be.greaterThan(4);
      expect(proxy.bytes).to.be.lessThan(1.2 * 32 * MEBIBYTE);
    });
  });

  it('goes on in the middle of a qcow2, and of ranged reads', async () => {
    await through({ to: server.port, cutAfter: 700_000 }, async (port) => {
      for (const name of ['disk.qcow2', 'disk.qed']) {
        const { disk } = await importFrom(`http://127.0.0.1:${port}/${name}`);
        expect(await sameDisk(disk, raw)).to.equal(true);
      }
    });
  });

  it('reads up to the same place where the server has no ranges', async () => {
    // The second connection is not cut, or there would be no end of it.
    await through({ to: withoutRanges.port, stallAfter: 3 * MEBIBYTE }, async (port) => {
      const { disk, progress } = await importFrom(`http://127.0.0.1:${port}/disk.img`, 1000);
      expect(await sameDisk(disk, raw)).to.equal(true);
      expect(progress.snapshot().retries).to.equal(1);
    });
  });

  it('gives up soon on a server without ranges whose every answer ends at the same byte', async () => {
    await through({ to: withoutRanges.port, cutAfter: MEBIBYTE }, async (port, proxy) => {
      const failure = await importFrom(`http://127.0.0.1:${port}/disk.img`).catch((error: unknown) => error);
      expect(failure).to.include({ code: 'ProtocolViolation', permanent: true });
      expect(failure)
        .to.have.property('message')
        .that.matches(/announced 33554432 bytes and ends every answer after 104\d{4} bytes/);
      expect(proxy.connections).to.equal(3);
    });
  });

  describe('gives up on a server that answers, and sends nothing from one byte on,', () => {
    const impatience = { ...patience, giveUpAfter: 60_000, giveUpStalledAfter: 300 };
    const failureOf = async (content: Buffer, from: number, withoutRanges = false): Promise<unknown> => {
      const silent = await SilentServer.start(content, { from, withoutRanges });
      const progress = new Progress();
      const source = new HttpSource({ url: silent.url, patience: impatience, stallTimeout: 100 }, progress);
      const path = join(await mkdtemp(join(directory, 'target-')), 'disk.img');
      const sink = new FileSink({ path, preallocation: false }, progress);
      try {
        return await importImage({ source, sink, progress }).catch((error: unknown) => error);
      } finally {
        silent.close();
      }
    };
    const expectStalled = (failure: unknown, byte: number): void => {
      expect(failure).to.include({ code: 'SourceStalled', permanent: false });
      expect(failure)
        .to.have.property('message')
        .that.matches(
          new RegExp(`sends nothing of http://.* from byte ${byte} on: .*\\(tried \\d+ times in \\d+ s\\)$`),
        );
    };

    it('while all of it is read', async () => {
      expectStalled(await failureOf(noise('silent', 4 * MEBIBYTE), 3_000_000), 3_000_000);
    });

    it('while it is read piece by piece', async () => {
      const qed = await readFile(join(directory, 'www', 'disk.qed'));
      const failure = await failureOf(qed, 3 * MEBIBYTE);
      expect(failure).to.include({ code: 'SourceStalled', permanent: false });
    });

    it('without ranges, too', async () => {
      expectStalled(await failureOf(noise('silent', 4 * MEBIBYTE), 3_000_000, true), 3_000_000);
    });
  });

  it('does not hold the end of one answer against a server without ranges that sends more later', async () => {
    const content = noise('patient', 4 * MEBIBYTE);
    const cutAt =
      (length: number): RequestListener =>
      (_, response) => {
        response.writeHead(200, { 'content-length': content.length });
        response.write(content.subarray(0, length), () => response.destroy());
      };
    const answers = [MEBIBYTE, MEBIBYTE, 2 * MEBIBYTE, 1000, 2 * MEBIBYTE, content.length].map(cutAt);
    await misbehaving(answers, async (url) => {
      const { disk } = await importFrom(url);
      expect((await readFile(disk)).equals(content)).to.equal(true);
    });
  });

  it('never goes on with what is shorter than what was read before, without any length', async () => {
    const content = noise('shrinking', 2 * MEBIBYTE);
    const broken: RequestListener = (_, response) => {
      response.writeHead(200);
      response.write(content, () => response.destroy());
    };
    const shorter: RequestListener = (_, response) => response.writeHead(200).end(content.subarray(0, MEBIBYTE));
    await misbehaving([broken, shorter], async (url) => {
      const { disk } = await importFrom(url);
      expect((await readFile(disk)).equals(content.subarray(0, MEBIBYTE))).to.equal(true);
    });
  });

  it('notices a stalled connection', async () => {
    await through({ to: server.port, stallAfter: 2 * MEBIBYTE }, async (port) => {
      const { disk, progress } = await importFrom(`http://127.0.0.1:${port}/disk.img`, 1000);
      expect(await sameDisk(disk, raw)).to.equal(true);
      expect(progress.snapshot().retries).to.equal(1);
    });
  });

  it('waits for a server that is not there yet, and says so meanwhile', async () => {
    const port = await freePort();
    const progress = new Progress();
    const disk = join(directory, 'late.img');
    const importing = importImage({
      source: new HttpSource({ url: `http://127.0.0.1:${port}/late`, patience }, progress),
      sink: new FileSink({ path: disk, preallocation: false }, progress),
      progress,
    });
    while (progress.snapshot().retries === 0) await new Promise(setImmediate);
    expect(progress.snapshot().stage).to.match(/^retrying in \d+ s: .* refused the connection/);
    expect(progress.snapshot().failure).to.match(/refused the connection/);
    const late = createServer((_, response) => response.end(noise('late', MEBIBYTE))).listen(port, '127.0.0.1');
    await importing;
    late.close();
    expect(progress.snapshot().failure).to.equal(undefined);
  });

  it('retries what a server cannot do at the moment, when it is asked to', async () => {
    let second = 0;
    const first = performance.now();
    const busy: RequestListener = (_, response) => response.writeHead(503, { 'retry-after': '1' }).end();
    const ready: RequestListener = (_, response) => {
      second ||= performance.now();
      response.end(noise('ready', 4096));
    };
    await misbehaving([busy, ready], async (url) => {
      await importFrom(url);
    });
    expect(second - first).to.be.within(1000, 4000);
  });

  it('begins anew when the file changes in between', async () => {
    const versions = [noise('first', 2 * MEBIBYTE), noise('second', 2 * MEBIBYTE)];
    const answer =
      (version: number, tag: string, sent: number): RequestListener =>
      (_, response) => {
        response.writeHead(200, { etag: `"${tag}"`, 'content-length': 2 * MEBIBYTE });
        const content = versions[version] ?? Buffer.alloc(0);
        if (sent === content.length) response.end(content);
        else response.write(content.subarray(0, sent), () => setTimeout(() => response.destroy(), 50));
      };
    await misbehaving([answer(0, 'a', MEBIBYTE), answer(1, 'b', 2 * MEBIBYTE)], async (url) => {
      const { disk } = await importFrom(url);
      expect((await readFile(disk)).equals(versions[1] ?? Buffer.alloc(0))).to.equal(true);
    });
  });

  describe('servers that lie about the length', () => {
    const content = noise('lie', 2 * MEBIBYTE);
    /** Serves ranges of the content as if it had `announced` bytes. */
    const announcing =
      (announced: number): RequestListener =>
      (request, response) => {
        const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
        const etag = '"same"';
        if (start >= content.length) {
          response.writeHead(416, { 'content-range': `bytes */${content.length}`, etag }).end();
          return;
        }
        const range = `bytes ${start}-${announced - 1}/${announced}`;
        response.writeHead(206, { 'content-range': range, etag }).end(content.subarray(start));
      };
    const failureOf = async (listener: RequestListener): Promise<unknown> => {
      let failure: unknown;
      let requests = 0;
      const counting: RequestListener = (request, response) => {
        requests += 1;
        listener(request, response);
      };
      await misbehaving([counting], async (url) => {
        failure = await importFrom(url).catch((error: unknown) => error);
      });
      expect(requests).to.be.at.most(3);
      return failure;
    };

    it('are told so when they have less', async () => {
      const failure = await failureOf(announcing(3 * MEBIBYTE));
      expect(failure).to.include({ code: 'ProtocolViolation', permanent: true });
      expect(failure)
        .to.have.property('message')
        .that.matches(/announced 3145728 bytes and has none from byte 2097152/);
    });

    it('are told so when they have more', async () => {
      const failure = await failureOf(announcing(MEBIBYTE));
      expect(failure).to.include({ code: 'ProtocolViolation', permanent: true });
    });
  });
});
