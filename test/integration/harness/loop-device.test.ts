import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { attachLoopDevice } from '../../cluster/loop-device.ts';

const BYTES = 2 ** 20;

describe('loop devices', () => {
  let folder: string;
  let device: string | undefined;

  before(function () {
    if (process.getuid?.() !== 0) this.skip();
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'diskpress-test-'));
  });

  afterEach(async () => {
    if (device !== undefined) execFileSync('losetup', ['--detach', device]);
    await rm(folder, { recursive: true, force: true });
  });

  it('do without direct I/O over a file system that has none', () => {
    execFileSync('mount', ['-t', 'ramfs', 'ramfs', folder]);
    try {
      const file = join(folder, 'disk');
      const descriptor = openSync(file, 'wx');
      ftruncateSync(descriptor, BYTES);
      closeSync(descriptor);
      device = attachLoopDevice(file);
      expect(execFileSync('blockdev', ['--getsize64', device], { encoding: 'latin1' }).trim()).to.equal(String(BYTES));
    } finally {
      execFileSync('umount', ['--lazy', folder]);
    }
  });
});
