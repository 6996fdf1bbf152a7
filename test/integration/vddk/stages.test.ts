import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import {
  IMPORT_REQUEST_VARIABLE,
  OWNER_UID_VARIABLE,
  type TransferResult,
  transferResult,
} from '../../../src/protocol/transfer-pod.ts';
import { vddkPlugin } from '../../support/vddk/compiled.ts';
import { Vcenter, VCENTER_DISK, VCENTER_PASSWORD, VCENTER_USER } from '../../support/vddk/vcenter.ts';
import { bundle, linkNativeLibraries } from '../support/bundle.ts';
import { mountOf } from '../support/mounts.ts';
import { run } from '../support/processes.ts';

const MEBIBYTE = 2 ** 20;
const UNIT = 65_536;
/** How often each stage is killed: DISKPRESS_KILLS=20 for a long test. */
const KILLS = Number(process.env['DISKPRESS_KILLS'] ?? 2);
/** Most calls of the vCenter and the library in a stage after which it is killed. */
const MOST_CALLS = 40;

interface Stage {
  readonly previous: string;
  readonly current: string;
  readonly isFinal: boolean;
}

describe('importer: disks of VMware, in stages', function () {
  this.timeout(120_000 + KILLS * 30_000);
  let directory: string;
  let vcenter: Vcenter;
  let credentials: string;
  let script: string;
  /** The snapshots, with the files of what they are, and the bytes that have changed since the one before. */
  const snapshots: { id: string; file: string; changed: number }[] = [];

  const write = async (...places: readonly (readonly [unit: number, units: number])[]): Promise<void> => {
    for (const [unit, units] of places) {
      const writing = `dd if=/dev/urandom of="$0" bs=64k seek=${unit} count=${units} conv=notrunc status=none`;
      await run('sh', ['-c', writing, await vcenter.disk()]);
    }
  };
  const snapshot = async (changedUnits: number): Promise<void> => {
    const file = await vcenter.disk();
    const id = await vcenter.snapshot(`number ${snapshots.length}`);
    snapshots.push({ id, file: `${file}@${id}`, changed: changedUnits * UNIT });
  };
  const stageOf = (number: number): Stage => ({
    previous: snapshots[number - 1]?.id ?? '',
    current: snapshots[number]?.id ?? '',
    isFinal: number === snapshots.length - 1,
  });

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vddk-stages-'));
    const disk = join(directory, 'disk.img');
    await run('truncate', ['-s', `${64 * MEBIBYTE}`, disk]);
    vcenter = await Vcenter.start(directory, disk);
    await write([48, 200], [900, 100]);
    await snapshot(300);
    // One in a hundred, here and there.
    const places = Array.from({ length: 10 }, (_, index) => [index * 97 + 5, 1] as const);
    await write(...places);
    await snapshot(places.length);
    // It is grown, and its new end is written to.
    await run('truncate', ['-s', `${80 * MEBIBYTE}`, await vcenter.disk()]);
    await write([100, 60], [1270, 10]);
    await snapshot(70);
    credentials = await mountOf(directory, { accessKeyId: VCENTER_USER, secretKey: VCENTER_PASSWORD });
    await linkNativeLibraries(directory);
    script = await bundle('pod.ts', directory);
  });

  after(async () => {
    await vcenter?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  beforeEach(() => vcenter.reset());

  const callsSoFar = async (): Promise<number> =>
    (await vcenter.calls()).length + (await vcenter.library.calls()).length;

  /**
   * Runs an importer.
   *
   * @param calls after how many calls it is killed
   * @returns its result; undefined where it was killed
   */
  const attempt = async (diskImage: string, stage: Stage, calls = Infinity): Promise<TransferResult | undefined> => {
    const { url, thumbprint, instanceUuid: uuid } = vcenter.greeting;
    const source = { type: 'vddk', url, uuid, backingFile: VCENTER_DISK, thumbprint };
    const target = {
      ...{ volumeMode: 'Filesystem', capacity: 128 * MEBIBYTE, filesystemOverhead: 0 },
      ...{ preallocation: false, contentType: 'kubevirt' },
    };
    const settings = {
      ...{ credentials, diskImage, progressPort: 0, vddkLibrary: vcenter.library.folder },
      vddkPlugin: await vddkPlugin(),
      patience: { giveUpAfter: 1_500, firstDelay: 10, longestDelay: 50 },
    };
    const message = join(dirname(diskImage), '..', 'termination-log');
    await rm(message, { force: true });
    const known = await callsSoFar();
    const child = spawn(process.execPath, [script], {
      stdio: 'ignore',
      env: {
        ...process.env,
        [IMPORT_REQUEST_VARIABLE]: JSON.stringify({ source, target, scratch: false, stage }),
        POD_SETTINGS: JSON.stringify(settings),
        TERMINATION_MESSAGE_PATH: message,
        [OWNER_UID_VARIABLE]: 'the-claim',
      },
    });
    let isOver = false;
    const ended = once(child, 'exit').finally(() => (isOver = true)) as Promise<[number | null, string | null]>;
    while (calls < Infinity && !isOver && (await callsSoFar()) - known < calls) await sleep(2);
    if (calls < Infinity) child.kill('SIGKILL');
    const [, signal] = await ended;
    return signal === null ? transferResult.parse(JSON.parse(await readFile(message, 'utf8'))) : undefined;
  };

  const target = async (): Promise<string> => {
    const volume = join(await mkdtemp(join(directory, 'target-')), 'data');
    await mkdir(volume);
    return join(volume, 'disk.img');
  };

  const expectSnapshot = async (diskImage: string, number: number): Promise<void> => {
    const { file } = snapshots[number]!;
    const { size } = await stat(file);
    await run('cmp', ['-n', `${size}`, diskImage, file]);
    const { isFinal } = stageOf(number);
    if (!isFinal) expect((await stat(diskImage)).size, 'a disk that grows at the end alone').to.equal(size);
  };

  it(`gives each snapshot, wherever each stage was killed (${KILLS} times), also of a disk that grows`, async () => {
    const diskImage = await target();
    for (const number of snapshots.keys()) {
      await vcenter.library.delay('Read', 10);
      for (let kills = 0; kills < KILLS; kills += 1) {
        await attempt(diskImage, stageOf(number), 1 + Math.floor(Math.random() * MOST_CALLS));
      }
      await vcenter.library.delay('Read', 0);
      expect(await attempt(diskImage, stageOf(number))).to.include({ outcome: 'succeeded' });
      await expectSnapshot(diskImage, number);
      const ended = [...(await vcenter.calls('Logout')), ...(await vcenter.calls('TerminateSession'))];
      expect((await vcenter.calls('Login')).length, 'sessions').to.equal(ended.length);
    }
  });

  it('reads what has changed, and little else', async () => {
    const diskImage = await target();
    for (const [number, { changed }] of snapshots.entries()) {
      const result = await attempt(diskImage, stageOf(number));
      expect(result).to.include({ outcome: 'succeeded' });
      expect(result)
        .to.have.property('bytesRead')
        .that.is.within(changed, changed * 1.1);
      await expectSnapshot(diskImage, number);
    }
  });

  it('keeps what it has while a host cannot be reached, and goes on when it can', async () => {
    const diskImage = await target();
    await attempt(diskImage, stageOf(0));
    await vcenter.library.fail('ConnectEx', 14008);
    const failed = await attempt(diskImage, stageOf(1));
    expect(failed).to.include({ outcome: 'failed', permanent: false, code: 'ServerUnavailable' });
    expect(failed).to.have.property('message').that.includes('could not be contacted');
    await expectSnapshot(diskImage, 0);
    await vcenter.reset();
    expect(await attempt(diskImage, stageOf(1))).to.include({ outcome: 'succeeded' });
    await expectSnapshot(diskImage, 1);
  });

  it('keeps what it has where a snapshot was removed, and goes on with another', async () => {
    const diskImage = await target();
    await attempt(diskImage, stageOf(0));
    const removed = await vcenter.snapshot('removed');
    await vcenter.removeSnapshot(removed);
    const failed = await attempt(diskImage, { previous: stageOf(0).current, current: removed, isFinal: false });
    expect(failed).to.include({ outcome: 'failed', permanent: true, code: 'NotFound' });
    expect(failed).to.have.property('message').that.includes(`no snapshot ${removed}`);
    await expectSnapshot(diskImage, 0);
    expect(await attempt(diskImage, stageOf(1))).to.include({ outcome: 'succeeded' });
    await expectSnapshot(diskImage, 1);
  });
});
