import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect } from 'chai';
import { pack } from 'tar-stream';
import { IMPORT_REQUEST_VARIABLE, transferProgress, transferResult } from '../../../src/protocol/transfer-pod.ts';
import { type Endless, EndlessServer } from '../support/endless-server.ts';
import { freePort } from '../support/processes.ts';

const MEBIBYTE = 1024 * 1024;
/** Milliseconds within which an importer answers, and ends when it is told to. */
const PROMPTLY = 2000;

/** The start of an archive whose first member is less than what is refused for its size alone, and never ends. */
async function archiveStart(): Promise<Buffer> {
  const packing = pack();
  packing.entry({ name: 'notes.txt', size: 60 * 1024 * MEBIBYTE });
  for await (const chunk of packing) return Buffer.from(chunk as Buffer);
  throw new Error('no header');
}

describe('importer: an archive that never ends', () => {
  let directory: string;
  let server: EndlessServer;
  let child: ChildProcess | undefined;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-endless-'));
    const start = await archiveStart();
    const text = Buffer.alloc(16 * MEBIBYTE, 'text\n');
    const files: Record<string, Endless> = {
      'plain.tar': { start, again: text.subarray(0, MEBIBYTE) },
      'small.tar.zst': { start: zstdCompressSync(start), again: zstdCompressSync(text) },
      'small.tar.gz': { start: gzipSync(start), again: gzipSync(text) },
    };
    server = await EndlessServer.start(files);
  });

  afterEach(() => child?.kill('SIGKILL'));

  after(async () => {
    server.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const startPod = async (source: object): Promise<{ volume: string; port: number; termination: string }> => {
    const pod = await mkdtemp(join(directory, 'pod-'));
    const volume = join(pod, 'data');
    await mkdir(volume);
    const port = await freePort();
    const termination = join(pod, 'termination-log');
    const target = {
      ...{ volumeMode: 'Filesystem', capacity: 100 * MEBIBYTE, filesystemOverhead: 0 },
      ...{ preallocation: false, contentType: 'kubevirt' },
    };
    child = spawn(process.execPath, [fileURLToPath(new URL('../support/pod.ts', import.meta.url))], {
      stdio: 'ignore',
      env: {
        ...process.env,
        [IMPORT_REQUEST_VARIABLE]: JSON.stringify({ source, target, scratch: false }),
        TERMINATION_MESSAGE_PATH: termination,
        POD_SETTINGS: JSON.stringify({ diskImage: join(volume, 'disk.img'), progressPort: port }),
      },
    });
    return { volume, port, termination };
  };

  const bytesRead = async (port: number): Promise<number> => {
    const answer = await fetch(`http://127.0.0.1:${port}/progress`, { signal: AbortSignal.timeout(PROMPTLY) });
    return transferProgress.parse(await answer.json()).bytesRead;
  };

  /** Until it is in the midst of the archive; until then the process may not even listen. */
  const untilReading = async (port: number): Promise<void> => {
    while (!((await bytesRead(port).catch(() => 0)) > 16 * 1024)) await sleep(20);
  };

  const sources: Record<string, () => object> = {};
  for (const name of ['plain.tar', 'small.tar.zst', 'small.tar.gz']) {
    sources[`${name} from a web server`] = () => ({
      type: 'http',
      url: `http://127.0.0.1:${server.port}/${name}`,
      extraHeaders: [],
      insecureSkipVerify: false,
    });
    sources[`${name} as a layer`] = () => ({
      type: 'registry',
      url: `docker://127.0.0.1:${server.port}/${name}`,
      insecureRegistry: true,
    });
  }

  for (const [name, source] of Object.entries(sources)) {
    it(`neither keeps it from answering nor from ending when it is told to: ${name}`, async () => {
      const { volume, port, termination } = await startPod(source());
      await untilReading(port);
      for (let times = 0; times < 5; times += 1) await bytesRead(port);
      const told = performance.now();
      child?.kill('SIGTERM');
      const [exitCode] = (await once(child!, 'exit')) as [number | null];
      expect(performance.now() - told).to.be.lessThan(PROMPTLY);
      expect(exitCode).to.equal(1);
      const result = transferResult.parse(JSON.parse(await readFile(termination, 'utf8')));
      expect(result).to.include({ outcome: 'failed', permanent: false, code: 'Interrupted' });
      expect(await readdir(volume)).to.deep.equal([]);
    });
  }
});
