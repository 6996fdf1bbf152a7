import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { ControlGroupPlaces } from '../../../../src/base/native/control-groups.ts';
import { memoryLimit } from '../../../../src/base/native/memory-limit.ts';
import { processorLimit } from '../../../../src/base/native/processors.ts';

const MEBIBYTE = 1024 * 1024;

describe('limits by control groups', () => {
  let directory: string;

  /** @param files of the mounted control groups, by path */
  const machine = async (self: string, files: Record<string, string | number>): Promise<ControlGroupPlaces> => {
    const places = { self: join(directory, 'self'), mounts: join(directory, 'mounts') };
    await writeFile(places.self, self);
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(places.mounts, path)), { recursive: true });
      await writeFile(join(places.mounts, path), `${content}\n`);
    }
    return places;
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-groups-'));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  it('are those of a pod that sees its own group as the top, by version 2', async () => {
    const places = await machine('0::/\n', { 'memory.max': 128 * MEBIBYTE, 'cpu.max': '75000 100000' });
    expect(memoryLimit(places)).to.equal(128 * MEBIBYTE);
    expect(processorLimit(places)).to.equal(0.75);
  });

  it('are the lowest of all groups above, by version 2', async () => {
    const places = await machine('0::/kubepods/pod1/container\n', {
      'kubepods/memory.max': 'max',
      'kubepods/cpu.max': '400000 100000',
      'kubepods/pod1/memory.max': 200 * MEBIBYTE,
      'kubepods/pod1/cpu.max': '50000 100000',
      'kubepods/pod1/container/memory.max': 300 * MEBIBYTE,
      'kubepods/pod1/container/cpu.max': 'max 100000',
    });
    expect(memoryLimit(places)).to.equal(200 * MEBIBYTE);
    expect(processorLimit(places)).to.equal(0.5);
  });

  it('are those from which on the kernel holds a process up, too', async () => {
    const places = await machine('0::/\n', { 'memory.max': 200 * MEBIBYTE, 'memory.high': 180 * MEBIBYTE });
    expect(memoryLimit(places)).to.equal(180 * MEBIBYTE);
  });

  it('are not there where the files say so, or there are none', async () => {
    const unlimited = await machine('0::/\n', { 'memory.max': 'max', 'memory.high': 'max', 'cpu.max': 'max 100000' });
    expect([memoryLimit(unlimited), processorLimit(unlimited)]).to.deep.equal([Infinity, Infinity]);
    const without = { self: unlimited.self, mounts: join(directory, 'nothing') };
    expect([memoryLimit(without), processorLimit(without)]).to.deep.equal([Infinity, Infinity]);
    const hidden = { self: join(directory, 'nothing'), mounts: unlimited.mounts };
    expect([memoryLimit(hidden), processorLimit(hidden)]).to.deep.equal([Infinity, Infinity]);
  });

  it('are those of the top where the own group lies outside of what can be seen', async () => {
    const places = await machine('0::/../other\n', { 'memory.max': 64 * MEBIBYTE, 'cpu.max': '100000 100000' });
    expect(memoryLimit(places)).to.equal(64 * MEBIBYTE);
    expect(processorLimit(places)).to.equal(1);
  });

  it('are those of version 1, whose pods see the top of each controller, beside version 2 without controllers', async () => {
    const places = await machine(
      '9:memory:/kubepods/pod1/c\n4:cpu,cpuacct:/kubepods/pod1/c\n1:name=systemd:/x\n0::/x\n',
      {
        'memory/memory.limit_in_bytes': 96 * MEBIBYTE,
        'cpu,cpuacct/cpu.cfs_quota_us': 150_000,
        'cpu,cpuacct/cpu.cfs_period_us': 100_000,
        'unified/cgroup.procs': '',
      },
    );
    expect(memoryLimit(places)).to.equal(96 * MEBIBYTE);
    expect(processorLimit(places)).to.equal(1.5);
  });

  it('are not there where version 1 has its largest numbers', async () => {
    const places = await machine('9:memory:/\n4:cpu:/\n', {
      'memory/memory.limit_in_bytes': '9223372036854771712',
      'cpu/cpu.cfs_quota_us': -1,
      'cpu/cpu.cfs_period_us': 100_000,
    });
    expect(memoryLimit(places)).to.be.greaterThan(2 ** 60);
    expect(processorLimit(places)).to.equal(Infinity);
  });
});
