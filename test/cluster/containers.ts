import { readdir, readFile } from 'node:fs/promises';

/**
 * Kills all processes of a container of the test cluster, as the kernel does for want of memory.
 *
 * @param id as a pod's status has it: `containerd://…`
 * @returns whether there were any
 */
export async function killContainer(id: string): Promise<boolean> {
  const name = id.replace(/^.*:\/\//, '');
  if (!/^[0-9a-f]{64}$/.test(name)) throw new Error(`"${id}" is no container's id`);
  const processes = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const its = await Promise.all(
    processes.map(async (pid) => (await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '')).includes(name)),
  );
  const found = processes.filter((_, index) => its[index]).map(Number);
  found.forEach(kill);
  return found.length > 0;
}

/** The first process of a container takes the others with it. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
