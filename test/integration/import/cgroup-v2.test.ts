import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { arch, execPath } from 'node:process';
import { expect } from 'chai';
import { repository } from '../../cluster/folders.ts';
import { runInUserModeLinux, SHARED, VOLUME } from '../../support/user-mode-linux.ts';
import { sh } from '../copy/rig/disks.ts';
import { run } from '../support/processes.ts';

const MEBIBYTE = 1024 * 1024;
const NATIVE = join(repository, 'src/base/native');
const GROUPS = '/sys/fs/cgroup';
/** What is written is more than the memory. */
const MEMORY = 128 * MEBIBYTE;

/** Prints what a role takes as its limits; null for none. */
const limits = `
import { memoryLimit } from '${NATIVE}/memory-limit.ts';
import { processorLimit, processors } from '${NATIVE}/processors.ts';
console.log(JSON.stringify([memoryLimit(), processorLimit(), processors()]));`;
const tellLimits = `'${execPath}' ${SHARED}/limits.mjs`;

describe('control groups of version 2, of a real kernel', () => {
  let directory: string | undefined;
  let printed: string[];

  const ending = new AbortController();

  before(async function () {
    this.timeout(300_000);
    if (arch !== 'x64' || process.getuid?.() !== 0) this.skip();
    directory = await mkdtemp(join(tmpdir(), 'diskpress-groups-'));
    await run(execPath, [join(repository, 'build.ts')], { cwd: repository });
    sh(
      `truncate -s 320M disk.img; for i in 0 1 2; do
         dd if=/dev/urandom of=disk.img bs=1M count=48 seek=$((i * 100)) conv=notrunc status=none; done
       igzip -0 -k disk.img`,
      directory,
    );
    await writeFile(join(directory, 'limits.mjs'), limits);
    const output = await runInUserModeLinux(
      `
      cd ${GROUPS}
      ${tellLimits}
      echo '+cpu +memory' >cgroup.subtree_control
      mkdir -p pod/container
      echo '+cpu +memory' >pod/cgroup.subtree_control
      echo '150000 100000' >pod/cpu.max
      echo ${200 * MEBIBYTE} >pod/memory.max
      echo '175000 100000' >pod/container/cpu.max
      echo ${180 * MEBIBYTE} >pod/container/memory.high
      in_group() { ( sh -c 'echo $PPID' >"$1/cgroup.procs"; shift; "$@" ); }
      in_group pod/container ${tellLimits}
      in_group pod/container unshare --cgroup --mount sh -c "cd /; umount ${GROUPS}; mount -t cgroup2 cgroup2 ${GROUPS}; ${tellLimits}"
      mkdir importer
      echo ${MEMORY} >importer/memory.max
      echo '50000 100000' >importer/cpu.max
      import() { '${execPath}' '${repository}/dist/main.js' import - ${VOLUME}/disk.img <${SHARED}/disk.img.gz >&2; }
      in_group importer import
      cmp ${VOLUME}/disk.img ${SHARED}/disk.img >&2
      cat importer/memory.peak
      sed -n 's/^oom_kill //p' importer/memory.events
      sed -n 's/^nr_throttled //p' importer/cpu.stat
      `,
      directory,
      ending.signal,
    );
    printed = output.trim().split('\n');
  });

  after(async () => {
    ending.abort();
    if (directory) await rm(directory, { recursive: true, force: true });
  });

  it('are found by a process that sees all of them, and by one that sees its own as the top, as in a pod', () => {
    expect(printed.slice(0, 3).map((line) => JSON.parse(line) as unknown)).to.deep.equal([
      [null, null, 1],
      [180 * MEBIBYTE, 1.5, 1],
      [180 * MEBIBYTE, 1.75, 1],
    ]);
  });

  it('let an import end with 128 MiB of memory, page cache included, and half a processor', () => {
    const [peak, killed, throttled] = printed.slice(3).map(Number);
    expect(peak).to.be.within(20 * MEBIBYTE, MEMORY);
    expect(killed).to.equal(0);
    expect(throttled).to.be.greaterThan(0);
  });
});
