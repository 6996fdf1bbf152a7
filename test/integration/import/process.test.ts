import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import {
  IMPORT_REQUEST_VARIABLE,
  type TransferProgress,
  transferProgress,
  transferResult,
} from '../../../src/protocol/transfer-pod.ts';
import { LoopDevices } from '../copy/rig/disks.ts';
import { bundle } from '../support/bundle.ts';
import { FloodingServer } from '../support/flooding-server.ts';
import { noise, sameDisk } from '../support/images.ts';
import { startNginx } from '../support/nginx.ts';
import { freePort, type Server } from '../support/processes.ts';

const MEBIBYTE = 1024 * 1024;

describe('importer: as a process', () => {
  let directory: string;
  let server: Server;
  let slow: Server;
  let log: string;
  let script: string;

  const startPod = async (
    from: Pick<Server, 'port'>,
    name: string,
    capacity: number,
    block: { device?: string; checkpoint?: string | undefined; logFormat?: string } = {},
  ): Promise<{ child: ChildProcess; volume: string; port: number; termination: string }> => {
    const pod = await mkdtemp(join(directory, 'pod-'));
    const volume = join(pod, 'data');
    await mkdir(volume);
    const port = await freePort();
    const termination = join(pod, 'termination-log');
    const source = {
      type: 'http',
      url: `http://127.0.0.1:${from.port}/${name}`,
      extraHeaders: [],
      insecureSkipVerify: false,
    };
    const target = {
      volumeMode: block.device === undefined ? 'Filesystem' : 'Block',
      capacity,
      filesystemOverhead: 0,
      preallocation: false,
      contentType: 'kubevirt',
    };
    const settings = { diskImage: join(volume, 'disk.img'), blockDevice: block.device, progressPort: port };
    const child = spawn(process.execPath, [script], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        [IMPORT_REQUEST_VARIABLE]: JSON.stringify({ source, target, scratch: false, checkpoint: block.checkpoint }),
        TERMINATION_MESSAGE_PATH: termination,
        ...(block.logFormat && { LOG_FORMAT: block.logFormat }),
        POD_SETTINGS: JSON.stringify(settings),
      },
    });
    log = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
    return { child, volume, port, termination };
  };
  const untilProgress = async (
    port: number,
    condition: (progress: TransferProgress) => boolean,
  ): Promise<TransferProgress> => {
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${port}/progress`).catch(() => undefined);
      const progress = answer && transferProgress.parse(await answer.json());
      if (progress && condition(progress)) return progress;
      await sleep(50);
    }
  };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-process-'));
    script = await bundle('pod.ts', directory);
    const root = join(directory, 'www');
    await mkdir(root);
    const image = await open(join(root, 'disk.img'), 'w');
    for (let at = 0; at < 600; at += 100)
      await image.write(noise(`part ${at}`, 8 * MEBIBYTE), 0, 8 * MEBIBYTE, at * MEBIBYTE);
    await image.truncate(600 * MEBIBYTE);
    await image.close();
    await writeFile(join(root, 'small.img'), noise('small', 64 * MEBIBYTE));
    server = await startNginx({ directory, root });
    slow = await startNginx({ directory, root, directives: 'limit_rate 4m;' });
  });

  after(async () => {
    await Promise.all([server.stop(), slow.stop()]);
    await rm(directory, { recursive: true, force: true });
  });

  it('tells its progress, and stops when it is told to, leaving what another goes on from', async () => {
    const { child, volume, port, termination } = await startPod(slow, 'disk.img', 700 * MEBIBYTE);
    const progress = await untilProgress(port, ({ bytesRead }) => bytesRead > 4 * MEBIBYTE);
    expect(progress).to.include({ stage: 'copying', bytesTotal: 600 * MEBIBYTE, retries: 0 });
    expect(progress.percent).to.be.within(0.5, 50);
    child.kill('SIGTERM');
    const [exitCode] = (await once(child, 'exit')) as [number];
    expect(exitCode).to.equal(1);
    const result = transferResult.parse(JSON.parse(await readFile(termination, 'utf8')));
    expect(result).to.include({ outcome: 'failed', permanent: false, code: 'Interrupted' });
    expect(await readdir(volume)).to.have.members(['disk.img', 'disk.img.diskpress-checkpoint']);
  });

  it('goes on with a Block volume from what a killed one had told of itself', async () => {
    const devices = new LoopDevices(directory);
    try {
      const device = devices.attach('block', 64);
      const first = await startPod(slow, 'small.img', 64 * MEBIBYTE, { device });
      const { checkpoint } = await untilProgress(first.port, (progress) => progress.checkpoint !== undefined);
      first.child.kill('SIGKILL');
      await once(first.child, 'exit');

      const second = await startPod(slow, 'small.img', 64 * MEBIBYTE, { device, checkpoint });
      const [exitCode] = (await once(second.child, 'close')) as [number];
      expect(exitCode).to.equal(0);
      const result = transferResult.parse(JSON.parse(await readFile(second.termination, 'utf8')));
      expect(result)
        .to.have.property('bytesRead')
        .that.is.lessThan(60 * MEBIBYTE);
      expect(log).to.match(/ INFO {2}resuming position=\d+/);
      expect(await sameDisk(device, join(directory, 'www', 'small.img'))).to.equal(true);
    } finally {
      devices.detach();
    }
  });

  describe('answers soon, be it asked or told to stop, while a server sends', () => {
    /** In milliseconds. Who is kept from it does not answer at all. */
    const SOON = 10_000;
    /** How many, and the milliseconds that they may take besides. */
    const ANSWERS = 6;
    const PATIENCE = 60_000;
    const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
    const floods: [kind: string, head: string, flood: string][] = [
      ['interim answers without end', '', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(1000)],
      ['a head without end', 'HTTP/1.1 200 OK\r\n', 'x: y\r\n'.repeat(1000)],
      ['chunks of a byte without end', chunked, '1\r\n\0\r\n'.repeat(5000)],
      ['a length of a chunk without end', chunked, '0'.repeat(64 * 1024)],
      [
        'answers to nothing',
        'HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n',
        'HTTP/1.1 200 OK\r\n\r\n'.repeat(1000),
      ],
    ];
    for (const [kind, head, flood] of floods) {
      it(kind, async () => {
        const flooder = await FloodingServer.start(head, flood);
        try {
          const { child, port, termination } = await startPod(flooder, 'disk.img', 700 * MEBIBYTE);
          let answers = 0;
          let slowest = 0;
          // Longer than it would take to fall behind; some of them end by themselves meanwhile.
          const until = performance.now() + 3000;
          const isOver = (now: number) => now > until && (answers >= ANSWERS || now > until + PATIENCE);
          while (child.exitCode === null && !isOver(performance.now())) {
            const asked = performance.now();
            const answer = await fetch(`http://127.0.0.1:${port}/progress`).catch(() => undefined);
            if (answer?.ok === true) answers += 1;
            await answer?.json();
            slowest = Math.max(slowest, performance.now() - asked);
            await sleep(50);
          }
          expect(slowest).to.be.below(SOON);
          // Some end by themselves before they could be asked.
          if (child.exitCode === null) expect(answers).to.be.at.least(ANSWERS);
          const told = performance.now();
          child.kill('SIGTERM');
          if (child.exitCode === null) await once(child, 'exit');
          expect(performance.now() - told).to.be.below(SOON);
          const result = transferResult.parse(JSON.parse(await readFile(termination, 'utf8')));
          expect(result.outcome).to.equal('failed');
          expect(result)
            .to.have.property('code')
            .that.is.oneOf(['Interrupted', 'ProtocolViolation', 'NotFound', 'ImageTooLarge']);
        } finally {
          flooder.stop();
        }
      });
    }
  });

  const phases = [
    ...['starting', 'Info: connecting', 'recognised', 'TransferDataFile: copying', 'Resize: syncing'],
    ...['Complete: done', 'finished'],
  ];
  /** Whether connections are added depends on how busy the machine is, and what is missing on the machine itself. */
  const isCertain = (message: string) =>
    message !== 'more connections' && !message.startsWith('without native libraries');

  it('logs its phases for people', async () => {
    const { child } = await startPod(server, 'disk.img', 700 * MEBIBYTE);
    const [exitCode] = (await once(child, 'close')) as [number];
    expect(exitCode).to.equal(0);
    const lines = log.trim().split('\n');
    for (const line of lines) expect(line).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO {2}\S/);
    const messages = lines.map((line) => /INFO {2}(.*?)(?= \w+=|$)/.exec(line)?.[1] ?? line).filter(isCertain);
    expect(messages).to.deep.equal(phases);
    expect(log).to.match(/TransferDataFile: copying format=raw target=\S+disk\.img phase=TransferDataFile$/m);
  });

  it('logs the same as JSON, an object a line, where that is asked for', async () => {
    const { child } = await startPod(server, 'disk.img', 700 * MEBIBYTE, { logFormat: 'json' });
    await once(child, 'close');
    const messages = log
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { message: string }).message)
      .filter(isCertain);
    expect(messages).to.deep.equal(phases);
  });

  it('stays within 150 MB of memory', async () => {
    const { child } = await startPod(server, 'disk.img', 700 * MEBIBYTE);
    let peak = 0;
    while (child.exitCode === null) {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
      peak = Math.max(peak, Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024);
      await sleep(20);
    }
    expect(child.exitCode).to.equal(0);
    expect(peak).to.be.within(20_000_000, 157_286_400);
  });
});
