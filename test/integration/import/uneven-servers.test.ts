import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Progress } from '../../../src/base/progress.ts';
import { FileSink } from '../../../src/sink/file-sink.ts';
import { HttpSource, type HttpSourceOptions } from '../../../src/source/kinds/http-source.ts';
import { importImage } from '../../../src/transfer/import/import-image.ts';
import { noise, sameDisk, writeRawDisk } from '../support/images.ts';
import { run } from '../support/processes.ts';
import { RangedServer, type RangedServerOptions } from '../support/ranged-server.ts';

const MEBIBYTE = 1024 * 1024;
const patience = { giveUpAfter: 2000, firstDelay: 10, longestDelay: 50 };
const longAgo = 'Mon, 01 Jan 2024 00:00:00 GMT';

describe('importer: servers that are not all alike', () => {
  const content = noise('uneven', 24 * MEBIBYTE);
  const servers: RangedServer[] = [];
  let directory: string;
  let raw: string;
  /** Needs random access. */
  let qed: Buffer;

  const start = async (options: RangedServerOptions, served = content): Promise<RangedServer> => {
    const server = await RangedServer.start(served, options);
    servers.push(server);
    return server;
  };
  /** @returns how often it was begun again */
  const importFrom = async (
    url: string,
    options: Partial<HttpSourceOptions> = {},
    expected: string | Buffer = content,
  ): Promise<number> => {
    let restarts = 0;
    const progress = new Progress((step) => {
      if (step === 'restarting') restarts += 1;
    });
    const disk = join(await mkdtemp(join(directory, 'target-')), 'disk.img');
    await importImage({
      source: new HttpSource({ url, patience, ...options }, progress),
      sink: new FileSink({ path: disk, preallocation: false }, progress),
      progress,
    });
    const isSame =
      typeof expected === 'string' ? await sameDisk(disk, expected) : (await readFile(disk)).equals(expected);
    expect(isSame).to.equal(true);
    await rm(disk);
    return restarts;
  };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-uneven-'));
    raw = join(directory, 'disk.img');
    await writeRawDisk(raw, 32 * MEBIBYTE);
    await run('qemu-img', ['convert', '-O', 'qed', raw, join(directory, 'disk.qed')]);
    qed = await readFile(join(directory, 'disk.qed'));
  });

  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  after(() => rm(directory, { recursive: true, force: true }));

  describe('mirrors that a URL leads to by turns, each with an ETag of its own,', () => {
    const mirrors = async (options: RangedServerOptions): Promise<{ first: RangedServer; both: RangedServer[] }> => {
      const both = await Promise.all(
        ['a', 'b'].map((name) =>
          start({ headers: () => ({ etag: `"${name}"`, 'last-modified': longAgo }), ...options }),
        ),
      );
      let turn = 0;
      const first = await start({
        intercept: (_, response) => {
          response.writeHead(302, { location: `${both[turn++ % 2]?.url}/disk.img` }).end();
          return true;
        },
      });
      return { first, both };
    };

    for (const [kind, options] of [
      ['slow', { rate: 6 * MEBIBYTE }],
      ['cut again and again', { cutAfter: 3 * MEBIBYTE }],
      ['both', { rate: 12 * MEBIBYTE, cutAfter: 5 * MEBIBYTE }],
    ] as const) {
      it(`are read one from start to end: ${kind}`, async () => {
        const { first, both } = await mirrors(options);
        expect(await importFrom(`${first.url}/disk`)).to.equal(0);
        expect(first.seen).to.have.length(1);
        const requests = both.map(({ seen }) => seen.length);
        expect(Math.max(...requests)).to.be.greaterThan(1);
        expect(Math.min(...requests)).to.equal(0);
      });
    }

    it('are told nothing that is the first server’s alone, in whatever part', async () => {
      const { first, both } = await mirrors({ cutAfter: 5 * MEBIBYTE });
      const headers = ['X-Api-Key: k'];
      await importFrom(`${first.url}/disk`, { headers, credentials: { user: 'u', password: 'p' } });
      expect(first.seen[0]?.headers).to.include({ 'x-api-key': 'k' });
      const told = both.flatMap(({ seen }) => seen);
      expect(told.length).to.be.greaterThan(3);
      for (const request of told) expect(request.headers).not.to.have.any.keys('x-api-key', 'authorization');
    });
  });

  it('tells the server everything for each part, where it leads to another path of its own', async () => {
    const server = await start({
      cutAfter: 5 * MEBIBYTE,
      headers: () => ({ etag: '"1"' }),
      intercept: ({ url, headers }, response) => {
        if (headers['x-api-key'] !== 'k') response.writeHead(403).end();
        else if (url === '/disk') response.writeHead(302, { location: '/files/disk.img' }).end();
        return response.headersSent;
      },
    });
    await importFrom(`${server.url}/disk`, { headers: ['X-Api-Key: k'] });
    expect(server.seen.filter(({ path }) => path === '/disk')).to.have.length(1);
  });

  for (const status of [400, 401, 403, 404, 410]) {
    it(`asks the first URL again where the one that it led to has expired (${status})`, async () => {
      const used = new Set<string>();
      const files = await start({
        cutAfter: 5 * MEBIBYTE,
        headers: () => ({ etag: '"1"' }),
        intercept: ({ url = '' }, response) => {
          const isUsed = used.has(url);
          used.add(url);
          if (isUsed) response.writeHead(status).end();
          return isUsed;
        },
      });
      let tokens = 0;
      const first = await start({
        intercept: (_, response) => {
          tokens += 1;
          response.writeHead(302, { location: `${files.url}/disk?token=${tokens}` }).end();
          return true;
        },
      });
      expect(await importFrom(`${first.url}/disk`)).to.equal(0);
      expect(tokens).to.be.greaterThan(3);
    });
  }

  it('goes where the first URL leads now, when the mirror that it led to is gone', async () => {
    const gone = await start({ cutAfter: 5 * MEBIBYTE, headers: () => ({ etag: '"1"' }) });
    const there = await start({ headers: () => ({ etag: '"1"' }) });
    let asked = 0;
    const first = await start({
      intercept: (_, response) => {
        asked += 1;
        if (asked > 1) gone.close();
        response.writeHead(302, { location: asked === 1 ? gone.url : there.url }).end();
        return true;
      },
    });
    const importing = importFrom(`${first.url}/disk`);
    while (gone.seen.length === 0) await new Promise(setImmediate);
    gone.close();
    expect(await importing).to.equal(0);
    expect(there.bytes).to.be.greaterThan(0);
  });

  it('reads servers behind one name in a single answer, once they have told different ETags', async () => {
    let turn = 0;
    const server = await start({
      rate: 12 * MEBIBYTE,
      headers: () => ({ etag: `"${(turn += 1)}"`, 'last-modified': longAgo }),
    });
    expect(await importFrom(`${server.url}/disk`)).to.equal(1);
    expect(server.seen.at(-1)?.range).to.equal('bytes=0-');
  });

  it('says what different ETags of the same file may come from', async () => {
    let turn = 0;
    const server = await start({
      cutAfter: MEBIBYTE,
      headers: () => ({ etag: `"${(turn += 1)}"`, 'last-modified': longAgo }),
    });
    const failure = await importFrom(`${server.url}/disk`).catch((error: unknown) => error);
    expect(failure).to.include({ code: 'SourceChanged', permanent: false });
    expect(failure).to.have.property('message').that.includes('ETags of their own; give the URL of one of them');
  });

  describe('ranges of a version', () => {
    const cut = { cutAfter: 5 * MEBIBYTE };

    it('are asked for by a date only where it is a minute old', async () => {
      for (const [age, expected] of [
        [0, undefined],
        [30_000, undefined],
        [3_600_000, true],
      ] as const) {
        const lastModified = new Date(Date.now() - age).toUTCString();
        const server = await start({ ...cut, headers: () => ({ 'last-modified': lastModified }) });
        expect(await importFrom(`${server.url}/disk`)).to.equal(0);
        expect(server.seen.length).to.be.greaterThan(4);
        const dates = server.seen.slice(1).map(({ ifRange }) => ifRange);
        expect(new Set(dates)).to.deep.equal(new Set([expected && lastModified]));
      }
    });

    it('are got from a server that takes no date, or tag, in If-Range', async () => {
      for (const validator of [{ 'last-modified': longAgo }, { etag: '"1"' }]) {
        const server = await start({
          ...cut,
          headers: () => validator,
          matches: () => false,
        });
        expect(await importFrom(`${server.url}/disk`)).to.equal(0);
        expect(server.bytes).to.be.lessThan(1.5 * content.length);
        expect(server.seen.filter(({ ifRange }) => ifRange !== undefined)).to.have.length(1);
      }
    });

    it('need not repeat what the server has confirmed', async () => {
      const server = await start({
        ...cut,
        headers: ({ headers }) =>
          headers['if-range'] === undefined ? { etag: '"1"', 'last-modified': longAgo } : { etag: '"1"' },
      });
      expect(await importFrom(`${server.url}/disk`)).to.equal(0);
    });

    it('are of another one where another date comes, whatever guards them', async () => {
      let asked = 0;
      const server = await start({
        ...cut,
        headers: () => ({ 'last-modified': new Date(Date.now() - (asked++ < 2 ? 20_000 : 0)).toUTCString() }),
      });
      expect(await importFrom(`${server.url}/disk`)).to.be.greaterThan(0);
    });
  });

  describe('that know ranges by halves', () => {
    const headers = (): { etag: string } => ({ etag: '"1"' });
    const withEnd = (range: string): { start: number; end: number } | undefined => {
      const [, from, last] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
      return last === undefined ? undefined : { start: Number(from), end: Number(last) + 1 };
    };

    it('may know only those with an end', async () => {
      const understand: RangedServerOptions['understand'] = (range) => withEnd(range) ?? 'unsatisfiable';
      for (const own of [{ headers }, {}]) {
        const server = await start({ ...own, understand, cutAfter: 5 * MEBIBYTE });
        expect(await importFrom(`${server.url}/disk`)).to.equal(0);
        expect(server.bytes).to.be.lessThan(1.5 * content.length);
      }
      const image = await start({ headers, understand }, qed);
      expect(await importFrom(`${image.url}/disk`, {}, raw)).to.equal(0);
    });

    it('may answer a request for all as one without a range', async () => {
      const server = await start({
        headers: () => ({ ...headers(), 'accept-ranges': 'bytes' }),
        understand: (range) => (range === 'bytes=0-' ? 'whole' : (withEnd(range) ?? 'unsatisfiable')),
        cutAfter: 5 * MEBIBYTE,
      });
      expect(await importFrom(`${server.url}/disk`)).to.equal(0);
      expect(server.bytes).to.be.lessThan(1.5 * content.length);
      const image = await start(
        {
          headers: () => ({ ...headers(), 'accept-ranges': 'bytes' }),
          understand: (range) => (range === 'bytes=0-' ? 'whole' : (withEnd(range) ?? 'unsatisfiable')),
        },
        qed,
      );
      expect(await importFrom(`${image.url}/disk`, {}, raw)).to.equal(0);
    });

    it('may have them without saying so', async () => {
      const server = await start({
        headers,
        understand: (range) => (range === 'bytes=0-' ? 'whole' : (withEnd(range) ?? 'unsatisfiable')),
        cutAfter: 5 * MEBIBYTE,
      });
      expect(await importFrom(`${server.url}/disk`)).to.equal(0);
      expect(server.bytes).to.be.lessThan(1.2 * content.length);
    });

    it('may announce them, and have none', async () => {
      const server = await start({
        headers: () => ({ ...headers(), 'accept-ranges': 'bytes' }),
        understand: () => 'whole',
      });
      expect(await importFrom(`${server.url}/disk`)).to.equal(0);
      expect(server.seen).to.have.length(2);
    });

    it('may send parts without saying which', async () => {
      for (const told of [undefined, 'bytes', 'bytes */*']) {
        const server = await start({ headers, contentRange: () => told });
        expect(await importFrom(`${server.url}/disk`)).to.equal(0);
        expect(server.seen.map(({ range }) => range)).to.deep.equal(['bytes=0-', undefined]);
      }
    });

    it('may send one part only, whichever is asked for', async () => {
      const server = await start({
        headers,
        understand: () => ({ start: 0, end: content.length }),
        rate: 12 * MEBIBYTE,
      });
      expect(await importFrom(`${server.url}/disk`)).to.equal(1);
      expect(server.seen.at(-1)?.range).to.equal(undefined);
    });

    it('may call them in their own way', async () => {
      for (const unit of ['Bytes ', 'BYTES ', 'bytes=', 'bytes: ', '']) {
        const server = await start({
          headers,
          cutAfter: 5 * MEBIBYTE,
          contentRange: (from, end) => `${unit}${from}-${end - 1}/${content.length}`,
        });
        expect(await importFrom(`${server.url}/disk`)).to.equal(0);
        expect(server.bytes).to.be.lessThan(1.2 * content.length);
      }
    });

    it('are told that there is nothing, when there is nothing', async () => {
      for (const understand of [(): 'unsatisfiable' => 'unsatisfiable', (): 'whole' => 'whole']) {
        const server = await start({ understand }, Buffer.alloc(0));
        const failure = await importFrom(`${server.url}/disk`).catch((error: unknown) => error);
        expect(failure).to.include({ code: 'NotAnImage', permanent: true });
      }
    });
  });
});
