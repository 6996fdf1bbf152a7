import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../cluster/commands.ts';
import { identityOf } from '../cluster/identity.ts';

const blocks = new Map<string, number>();

/** Everything on this machine that belongs to a test cluster, by kind; kinds with nothing are left out. */
export async function tracesOf(name: string): Promise<Record<string, string[]>> {
  const { folder, prefix } = identityOf(name);
  const state = await readFile(join(folder, 'cluster.json'), 'utf8').catch(() => undefined);
  if (state) {
    blocks.set(name, (JSON.parse(state) as { block: number }).block);
  }
  const block = blocks.get(name);
  const lines = async (program: string, ...args: string[]) => (await run(program, args)).split('\n');
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  const traces = {
    namespaces: (await lines('ip', 'netns', 'list')).filter((line) => line.startsWith(prefix)),
    links: (await lines('ip', '-oneline', 'link')).filter((line) => line.includes(`diskpress${block}@`)),
    routes: (await lines('ip', 'route')).filter((line) => line.includes(`10.${block}.`)),
    mounts: mounts.filter((line) => line.includes(prefix) || line.includes(folder)).filter(notNamespace),
    'loop devices': (await lines('losetup', '--list', '--noheadings')).filter((line) => line.includes(folder)),
    'control groups': (await controlGroups(mounts)).filter((group) => group.includes(prefix)),
    processes: await processes(folder),
    folder: await access(folder).then(
      () => [folder],
      () => [],
    ),
  };
  return Object.fromEntries(Object.entries(traces).filter(([, found]) => found.length > 0));
}

/** `ip` keeps a network namespace by mounting it. */
function notNamespace(line: string): boolean {
  return !line.includes(' /run/netns/');
}

async function controlGroups(mounts: string[]): Promise<string[]> {
  const roots = mounts.filter((line) => / - cgroup2? /.test(line)).map((line) => line.split(' ')[4]!);
  const groups = await Promise.all(roots.map(async (root) => (await readdir(root)).map((group) => join(root, group))));
  return groups.flat();
}

async function processes(folder: string): Promise<string[]> {
  const found = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (words.includes(folder)) {
      found.push(`${pid} ${words.replaceAll('\0', ' ')}`);
    }
  }
  return found;
}
