import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Progress } from '../../../src/base/progress.ts';
import { FileSink } from '../../../src/sink/file-sink.ts';
import { HttpSource } from '../../../src/source/kinds/http-source.ts';
import { importImage } from '../../../src/transfer/import/import-image.ts';
import { FloodingServer } from '../support/flooding-server.ts';
import { noise, sameDisk } from '../support/images.ts';
import { importInPod } from '../support/importer.ts';
import { run } from '../support/processes.ts';

const MEBIBYTE = 1024 * 1024;

describe('importer: hostile servers', () => {
  const content = noise('hostile', 2 * MEBIBYTE);
  const servers: Server[] = [];
  let directory: string;

  const listen = async (
    answer: (request: IncomingMessage, response: ServerResponse) => void,
    address = '127.0.0.1',
  ): Promise<string> => {
    const server = createServer(answer).listen(0, address);
    servers.push(server);
    await once(server, 'listening');
    return `http://${address}:${(server.address() as AddressInfo).port}`;
  };
  const send = (request: IncomingMessage, response: ServerResponse): void => {
    const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const range = { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}`, etag: '"1"' };
    response.writeHead(206, { ...range, 'content-length': content.length - start }).end(content.subarray(start));
  };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-hostile-'));
    await writeFile(join(directory, 'content'), content);
  });

  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  });

  after(() => rm(directory, { recursive: true, force: true }));

  describe('that send next to nothing', () => {
    const importSlowly = async (url: string, giveUpStalledAfter: number): Promise<Progress> => {
      const progress = new Progress();
      const path = join(await mkdtemp(join(directory, 'target-')), 'disk.img');
      const patience = { giveUpAfter: 60_000, giveUpStalledAfter, firstDelay: 10, longestDelay: 20 };
      const lowestRate = { bytes: 64 * 1024, within: 300 };
      const source = new HttpSource({ url, patience, lowestRate }, progress);
      await importImage({ source, sink: new FileSink({ path, preallocation: false }, progress), progress });
      expect(await sameDisk(path, join(directory, 'content'))).to.equal(true);
      return progress;
    };

    /** @param withRanges whether it knows them; otherwise each answer begins at the start */
    const dripping = (withRanges: boolean, headers: object): Promise<string> =>
      listen((request, response) => {
        const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
        if (withRanges) response.setHeader('content-range', `bytes ${start}-99999999/100000000`);
        response.writeHead(withRanges ? 206 : 200, { etag: '"1"', ...headers });
        const timer = setInterval(() => response.write('x'), 10);
        response.once('close', () => clearInterval(timer));
      });
    const kinds: [kind: string, withRanges: boolean, headers: object][] = [
      ['in parts', true, {}],
      ['as a whole', false, { 'content-length': 100_000_000 }],
      ['in chunks', false, {}],
    ];
    for (const [kind, withRanges, headers] of kinds) {
      it(`are given up, and it is said why, be it sent ${kind}`, async () => {
        const failure = await importSlowly(`${await dripping(withRanges, headers)}/disk`, 300).catch(
          (error: unknown) => error,
        );
        expect(failure).to.include({ code: 'SourceStalled', permanent: false });
        expect(failure)
          .to.have.property('message')
          .that.matches(/sends next to nothing of .*, fewer than 64 KiB in .*\(tried \d+ times in \d+ s\)$/);
      });
    }

    it('are gone on with from there, where they do better then', async () => {
      const ranges: (string | undefined)[] = [];
      const url = await listen((request, response) => {
        ranges.push(request.headers.range);
        if (ranges.length > 1) return send(request, response);
        const range = { 'content-range': `bytes 0-${content.length - 1}/${content.length}`, etag: '"1"' };
        response.writeHead(206, { ...range, 'content-length': content.length });
        response.write(content.subarray(0, MEBIBYTE));
        let at = MEBIBYTE;
        const timer = setInterval(() => response.write(content.subarray(at, (at += 1))), 10);
        response.once('close', () => clearInterval(timer));
      });
      const progress = await importSlowly(`${url}/disk`, 60_000);
      expect(progress.snapshot().retries).to.equal(1);
      expect(progress.counters.bytesRead).to.equal(content.length);
      expect(Number(/\d+/.exec(ranges[1] ?? '')?.[0])).to.be.within(MEBIBYTE, content.length - 1);
    });
  });

  it('announce no answer more often than ten times', async () => {
    const announcing = await FloodingServer.start('', 'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n');
    const { result } = await importInPod(directory, { source: { url: `http://127.0.0.1:${announcing.port}/disk` } });
    announcing.stop();
    expect(result).to.include({ outcome: 'failed', permanent: true, code: 'ProtocolViolation' });
    expect(result).to.have.property('message').that.includes('again and again');
  });

  describe('that lead further inside', () => {
    const own = Object.values(networkInterfaces())
      .flat()
      .find((address) => address?.internal === false && address.family === 'IPv4')?.address;
    let inside: string;
    let outside: string;

    before(function () {
      // Redirects to this machine have to come from another kind of address of it.
      if (own === undefined) this.skip();
    });

    beforeEach(async () => {
      inside = await listen(send);
      outside = await listen((_, response) => {
        response.writeHead(302, { location: `${inside}/disk?token=secret` }).end();
      }, own);
    });

    it('are not followed, and it is said what can be done', async () => {
      const { result } = await importInPod(directory, { source: { url: `${outside}/disk` } });
      expect(result).to.include({ outcome: 'failed', permanent: true, code: 'RedirectRefused' });
      expect(result)
        .to.have.property('message')
        .that.includes(`leads to ${new URL(inside).host}, at a loopback one`)
        .and.includes('ImportFollowsInternalRedirects')
        .and.not.includes('secret');
    });

    it('are followed where the administrator allows it, and what the user names always', async () => {
      const allowed = await importInPod(directory, {
        source: { url: `${outside}/disk` },
        followsInternalRedirects: true,
      });
      expect(allowed.result.outcome).to.equal('succeeded');
      const named = await importInPod(directory, { source: { url: `${inside}/disk` } });
      expect(named.result.outcome).to.equal('succeeded');
    });

    it('are followed by the command line', async () => {
      const cli = join(import.meta.dirname, '../support/cli.ts');
      const target = join(directory, 'followed.img');
      await run(process.execPath, [cli, 'import', `${outside}/disk`, target]);
      expect(await sameDisk(target, join(directory, 'content'))).to.equal(true);
    });
  });
});
