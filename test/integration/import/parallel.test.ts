import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Progress } from '../../../src/base/progress.ts';
import { FileSink } from '../../../src/sink/file-sink.ts';
import { HttpSource } from '../../../src/source/kinds/http-source.ts';
import { importImage } from '../../../src/transfer/import/import-image.ts';
import { CuttingProxy } from '../support/cutting-proxy.ts';
import { noise } from '../support/images.ts';
import { startNginx } from '../support/nginx.ts';
import type { Server } from '../support/processes.ts';
import { SilentServer } from '../support/silent-server.ts';

const MEBIBYTE = 1024 * 1024;
const SIZE = 24 * MEBIBYTE;
const patience = { giveUpAfter: 5000, firstDelay: 20, longestDelay: 100 };

describe('importer: several connections', () => {
  let directory: string;
  let root: string;
  let content: Buffer;
  let limited: Server;
  let refusing: Server;

  /** Imports, and tells what was noted and how many connections there were at most. */
  const importFrom = async (
    port: number,
    connections?: number,
    onStep: (step: string) => void = () => {},
  ): Promise<{ disk: Buffer; steps: string[]; most: number; bytesRead: number }> => {
    const steps: string[] = [];
    let most = 0;
    const progress = new Progress((step) => {
      steps.push(step);
      onStep(step);
    });
    class Watched extends FileSink {
      override async write(extent: { offset: number; data: Buffer }): Promise<void> {
        most = Math.max(most, progress.snapshot().connections);
        return super.write(extent);
      }
    }
    const path = join(await mkdtemp(join(directory, 'target-')), 'disk.img');
    const url = `http://127.0.0.1:${port}/disk.img`;
    await importImage({
      source: new HttpSource({ url, patience, connections }, progress),
      sink: new Watched({ path, preallocation: false }, progress),
      progress,
    });
    return { disk: await readFile(path), steps, most, bytesRead: progress.snapshot().bytesRead };
  };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-parallel-'));
    root = join(directory, 'www');
    await mkdir(root);
    content = noise('parallel', SIZE);
    await writeFile(join(root, 'disk.img'), content);
    limited = await startNginx({ directory, root, directives: 'limit_rate 4m;' });
    refusing = await startNginx({
      directory,
      root,
      http: 'limit_conn_zone $server_port zone=all:1m;',
      directives: 'limit_rate 4m; limit_conn all 2;',
    });
  });

  after(async () => {
    await Promise.all([limited.stop(), refusing.stop()]);
    await rm(directory, { recursive: true, force: true });
  });

  it('are added while bytes are waited for, as many as allowed', async () => {
    const { disk, most, bytesRead } = await importFrom(limited.port);
    expect(disk.equals(content)).to.equal(true);
    expect(most).to.equal(4);
    expect(bytesRead).to.equal(SIZE);
    expect((await importFrom(limited.port, 2)).most).to.equal(2);
  });

  it('stay at one where no more are wanted', async () => {
    const { disk, most, steps } = await importFrom(limited.port, 1);
    expect(disk.equals(content)).to.equal(true);
    expect(most).to.equal(1);
    expect(steps).not.to.include('more connections');
  });

  it('become fewer where the server refuses one', async () => {
    const { disk, most, steps } = await importFrom(refusing.port);
    expect(disk.equals(content)).to.equal(true);
    expect(steps).to.include('fewer connections');
    expect(most).to.be.at.most(2);
  });

  it('are continued where they are cut', async () => {
    const proxy = new CuttingProxy({ to: limited.port, cutAfter: 2_500_000 });
    try {
      const { disk } = await importFrom(await proxy.listen());
      expect(disk.equals(content)).to.equal(true);
      expect(proxy.bytes).to.be.lessThan(1.2 * SIZE);
    } finally {
      await proxy.close();
    }
  });

  it('are given up where every one of them brings nothing from one byte on', async () => {
    const from = 20 * MEBIBYTE + 5;
    const silent = await SilentServer.start(content, { from, pause: 50 });
    const steps: string[] = [];
    const progress = new Progress((step) => steps.push(step));
    const options = { url: silent.url, patience: { ...patience, giveUpStalledAfter: 300 }, stallTimeout: 200 };
    const sink = new FileSink({ path: join(directory, 'silent.img'), preallocation: false }, progress);
    try {
      const importing = importImage({ source: new HttpSource(options, progress), sink, progress });
      const failure = await importing.catch((error: unknown) => error);
      expect(steps).to.include('more connections');
      expect(failure).to.include({ code: 'SourceStalled' });
      const [, byte] = / from byte (\d+) on: /.exec((failure as Error).message) ?? [];
      expect(Number(byte)).to.be.within(from, SIZE);
    } finally {
      silent.close();
    }
  });

  it('never mix two versions of a file', async () => {
    const other = noise('another version', SIZE);
    let replacing: Promise<void> | undefined;
    const replace = async (): Promise<void> => {
      await writeFile(join(root, 'new'), other);
      await rename(join(root, 'new'), join(root, 'disk.img'));
    };
    const { disk, steps } = await importFrom(limited.port, 4, (step) => {
      if (step === 'more connections') replacing ??= replace();
    });
    await replacing;
    await writeFile(join(root, 'disk.img'), content);
    expect(steps).to.include('restarting');
    expect(disk.equals(other)).to.equal(true);
  });
});
