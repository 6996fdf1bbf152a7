import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandFailed, run } from '../cluster/commands.ts';
import { staticBusybox } from '../cluster/static-busybox.ts';
import { userModeLinux } from '../cluster/user-mode-linux.ts';

/** Where the guest has the folder that it shares with this machine, and a file system of its own. */
export const SHARED = '/run/shared';
export const VOLUME = '/run/volume';
const TEMPORARY = '/run/temporary';

/**
 * Boots a Linux of Debian's as a process of this machine: with the files of this machine to read, with `folder` to
 * write, at {@link SHARED}, with an XFS of 2 GiB at {@link VOLUME}, with cgroup v2 and one processor. For x86-64 only.
 *
 * @param script of the shell, run by root; what it does not expect to fail may not fail
 * @param folder an existing one
 * @returns what the script printed on standard output
 * @throws CommandFailed with what it printed on standard error
 */
export async function runInUserModeLinux(script: string, folder: string, signal?: AbortSignal): Promise<string> {
  const own = join(folder, '.guest');
  const [init, disk] = [join(own, 'init'), join(own, 'disk')];
  await mkdir(own);
  await writeFile(init, initScript(script, folder, (await staticBusybox()) ?? 'busybox'), { mode: 0o755 });
  await run('truncate', ['--size=2G', disk]);
  await run('mkfs.xfs', ['-q', '-K', disk]);
  const root = ['rootfstype=hostfs', 'rootflags=/', 'ro', `init=${init}`];
  const options = ['mem=1G', 'quiet', 'con=null', 'con0=null,fd:1', `ubd0=${disk}`, ...root];
  // Told to end, it ends its processes, which are processes of this machine, too.
  const told = await run('setpriv', ['--pdeathsig', 'TERM', '--', userModeLinux(), ...options], { signal });
  const [out = '', err = '', status = ''] = await Promise.all(
    ['out', 'err', 'status'].map((name) => readFile(join(own, name), 'utf8').catch(() => '')),
  );
  if (status.trim() === '0') return out;
  throw new CommandFailed('the script in User Mode Linux', status === '' ? null : Number(status), err || told);
}

const initScript = (script: string, folder: string, busybox: string): string => `#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
ln -s /proc/self/fd/0 /dev/stdin
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmpfs /run
mkdir ${SHARED} ${VOLUME} ${TEMPORARY}
mount -t hostfs -o '${folder}' hostfs ${SHARED}
mount -t xfs /dev/ubda ${VOLUME}
export TMPDIR=${TEMPORARY}
( set -eu
${script}
) >${SHARED}/.guest/out 2>${SHARED}/.guest/err
echo $? >${SHARED}/.guest/status
umount ${VOLUME}
sync
'${busybox}' poweroff -f
`;
