import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Makes a control group for a node's pods: in every hierarchy of version 1, or in the one of version 2. */
export async function createControlGroups(name: string): Promise<void> {
  const mounted = await hierarchies();
  // Where both versions are mounted, version 2 has no controllers and the container runtime uses version 1.
  const version = mounted.some((each) => each.version === 1) ? 1 : 2;
  for (const root of mounted.filter((each) => each.version === version)) {
    const group = join(root.path, name);
    if (root.version === 2) {
      await delegate(root.path);
    }
    await mkdir(group, { recursive: true });
    if (root.version === 2) {
      await delegate(group);
    }
  }
}

/** Removes the control groups whose names begin so, once the last process has left them. */
export async function removeControlGroups(prefix: string): Promise<void> {
  for (const { path } of await hierarchies()) {
    const names = (await readdir(path)).filter((name) => name.startsWith(prefix));
    for (const name of names) {
      await removeTree(join(path, name), Date.now() + 10_000);
    }
  }
}

async function hierarchies(): Promise<{ path: string; version: 1 | 2 }[]> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  return mounts.flatMap((line) => {
    const [left, right] = line.split(' - ');
    const type = right?.split(' ')[0];
    const path = left?.split(' ')[4];
    return path && (type === 'cgroup' || type === 'cgroup2')
      ? [{ path, version: type === 'cgroup' ? 1 : 2 } as const]
      : [];
  });
}

/** Hands a version 2 group's controllers on to the groups in it. */
async function delegate(group: string): Promise<void> {
  const controllers = (await readFile(join(group, 'cgroup.controllers'), 'utf8')).trim().split(' ').filter(Boolean);
  const wanted = controllers.map((controller) => `+${controller}`).join(' ');
  const subtree = join(group, 'cgroup.subtree_control');
  try {
    await writeFile(subtree, wanted);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') {
      throw error;
    }
    // In a container the group at the top holds processes itself, which forbids groups with controllers in it.
    const aside = join(group, 'init');
    await mkdir(aside, { recursive: true });
    for (const pid of (await readFile(join(group, 'cgroup.procs'), 'utf8')).split('\n').filter(Boolean)) {
      await writeFile(join(aside, 'cgroup.procs'), pid).catch(() => undefined);
    }
    await writeFile(subtree, wanted);
  }
}

async function removeTree(group: string, deadline: number): Promise<void> {
  const children = await readdir(group, { withFileTypes: true }).catch(() => []);
  for (const child of children.filter((entry) => entry.isDirectory())) {
    await removeTree(join(group, child.name), deadline);
  }
  for (;;) {
    try {
      await rmdir(group);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') {
        return;
      }
      if (code !== 'EBUSY' || Date.now() > deadline) {
        throw error;
      }
      await delay(20);
    }
  }
}
