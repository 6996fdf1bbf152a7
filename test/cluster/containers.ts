import { open, readdir, readFile } from 'node:fs/promises';
import { run } from './commands.ts';

/**
 * Kills all processes of a container of the test cluster, as the kernel does for want of memory.
 *
 * @param id as a pod's status has it: `containerd://…`
 * @returns whether there were any
 */
export async function killContainer(id: string): Promise<boolean> {
  const found = await processesOf(id);
  found.forEach(kill);
  return found.length > 0;
}

/**
 * Drops whatever the pod of a container sends and receives, without telling either end, as a network does that is
 * away.
 *
 * @param id as a pod's status has it: `containerd://…`
 * @returns a function that brings the network back
 */
export async function cutNetwork(id: string): Promise<() => Promise<void>> {
  const [pid] = await processesOf(id);
  if (pid === undefined) throw new Error(`container ${id} has no process`);
  // The network outlives the container, which may be started anew meanwhile.
  const namespace = await open(`/proc/${pid}/ns/net`);
  const inPod = (...command: string[]) =>
    run('nsenter', [`--net=/proc/${process.pid}/fd/${namespace.fd}`, 'iptables', '--wait', ...command]);
  const rules = [
    ['INPUT', '--in-interface', 'eth0', '--jump', 'DROP'],
    ['OUTPUT', '--out-interface', 'eth0', '--jump', 'DROP'],
  ];
  for (const rule of rules) await inPod('--insert', ...rule);
  return async () => {
    for (const rule of rules) await inPod('--delete', ...rule);
    await namespace.close();
  };
}

async function processesOf(id: string): Promise<number[]> {
  const name = id.replace(/^.*:\/\//, '');
  if (!/^[0-9a-f]{64}$/.test(name)) throw new Error(`"${id}" is no container's id`);
  const processes = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const its = await Promise.all(
    processes.map(async (pid) => (await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '')).includes(name)),
  );
  return processes.filter((_, index) => its[index]).map(Number);
}

/** The first process of a container takes the others with it. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
