import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { repository } from '../../cluster/folders.ts';
import { eventually } from '../../support/eventually.ts';

/** A bench that has set everything up, and measures something that takes too long. */
const script = (state: string) => `
  const load = (module) => import('${repository}/test/' + module);
  const { endInOrder } = await load('bench/ending.ts');
  endInOrder();
  process.once('SIGUSR2', () => { throw new Error('something went wrong'); });
  const { createVolume } = await load('bench/import/volume.ts');
  const { measure } = await load('bench/import/measure.ts');
  const { eventually } = await load('support/eventually.ts');
  const { startWebServer } = await load('support/web-server.ts');
  const volume = await createVolume('${state}');
  await startWebServer({ address: '127.0.0.1', state: '${state}', root: '${state}' });
  const endless = 'exec 3>"$0/open"; touch "$0/measuring"; sleep 600; echo';
  const measuring = measure(volume, { program: 'bash', args: ['-c', endless, volume.folder] });
  const { existsSync } = await import('node:fs');
  await eventually('it measures', () => existsSync(volume.folder + '/measuring'));
  console.log('measuring');
  await measuring;
`;

describe('A bench that does not get to its end', () => {
  let state = '';

  before(function () {
    // It needs loop devices and mounts.
    if (process.getuid?.() !== 0) this.skip();
  });
  beforeEach(async () => {
    state = await mkdtemp(join(tmpdir(), 'diskpress-test-'));
  });
  afterEach(async () => rm(state, { recursive: true, force: true }));

  const ends = [
    ['is interrupted', 'SIGINT', 130],
    ['is told to end', 'SIGTERM', 143],
    ['fails', 'SIGUSR2', 1],
  ] as const;
  for (const [how, signal, status] of ends) {
    it(`leaves no mount, loop device, file or process behind when it ${how}`, async () => {
      const bench = spawn(process.execPath, ['--input-type=module', '--eval', script(state)], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const ended = once(bench, 'exit');
      await once(createInterface(bench.stdout), 'line');
      const disk = join(state, 'xfs.img');
      const mountsAndPrograms = () => [
        ...output('findmnt', '--noheadings', '--list', '--output', 'TARGET').filter((line) => line.startsWith(state)),
        ...output('ps', '-eo', 'args').filter((line) => line.includes(state) && !line.includes('--eval')),
      ];
      const devices = () =>
        output('losetup', '--noheadings', '--output', 'BACK-FILE').filter((line) => line.includes(state));
      expect(mountsAndPrograms()).to.have.length.at.least(3);
      expect(devices()).to.have.length(1);
      bench.kill(signal);
      expect(await ended).to.deep.equal([status, null]);
      expect(existsSync(disk)).to.be.false;
      await eventually('all is gone', () => mountsAndPrograms().length === 0 && devices().length === 0);
    });
  }
});

function output(program: string, ...args: string[]): string[] {
  return execFileSync(program, args, { encoding: 'latin1' }).split('\n').filter(Boolean);
}
