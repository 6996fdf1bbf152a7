import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { run } from './commands.ts';
import { repository } from './folders.ts';
import type { Identity } from './identity.ts';
import { nodeFolder } from './identity.ts';
import type { Network, NodeNetwork } from './network.ts';

const mounted = '/run/netns';

/** The network namespace of a node; its control groups have the same name. */
export function namespaceOf(cluster: Identity, node: string): string {
  return `${cluster.prefix}${node}`;
}

/** Makes the bridge that the nodes' links end at, in a namespace of its own, and the host's link to it. */
export async function createSwitch(cluster: Identity, network: Network): Promise<void> {
  const inSwitch = ['-n', cluster.switch];
  await run('ip', ['netns', 'add', cluster.switch]);
  await ip([], [`link add ${network.hostInterface} type veth peer name host netns ${cluster.switch}`]);
  await ip(inSwitch, [
    'link set lo up',
    'link add bridge type bridge stp_state 0',
    'link set bridge up',
    'link set host master bridge up',
  ]);
  await ip(
    [],
    [
      `address add ${network.hostAddress}/24 dev ${network.hostInterface}`,
      `link set ${network.hostInterface} up`,
      // Services are reached through the first node, which always is the one with the control plane.
      `route add ${network.serviceRange} via 10.${network.block}.255.1`,
    ],
  );
}

/** Makes a node's network namespace, with routes to the host and to the pods of the other nodes. */
export async function connectNode(
  cluster: Identity,
  network: Network,
  node: { name: string } & NodeNetwork,
  others: ({ name: string } & NodeNetwork)[],
): Promise<void> {
  const namespace = namespaceOf(cluster, node.name);
  await run('ip', ['netns', 'add', namespace]);
  await ip(
    ['-n', cluster.switch],
    [`link add ${node.name} type veth peer name eth0 netns ${namespace}`, `link set ${node.name} master bridge up`],
  );
  await ip(
    ['-n', namespace],
    [
      'link set lo up',
      `address add ${node.address}/24 dev eth0`,
      'link set eth0 up',
      `route add default via ${network.hostAddress}`,
      ...others.map((other) => `route add ${other.podRange} via ${other.address}`),
    ],
  );
  for (const other of others) {
    await ip(['-n', namespaceOf(cluster, other.name)], [`route replace ${node.podRange} via ${node.address}`]);
  }
  await ip([], [`route add ${node.podRange} via ${node.address}`]);
}

async function ip(options: string[], commands: string[]): Promise<void> {
  await run('ip', [...options, '-batch', '-'], { input: `${commands.join('\n')}\n` });
}

/** Starts a node's first process in namespaces of its own; it goes on when this process ends. */
export function startNode(cluster: Identity, node: string): void {
  const folder = nodeFolder(cluster, node);
  const log = openSync(join(folder, 'node.log'), 'a');
  // A shell is the first process because it reaps what containers leave behind; the last echo keeps it from
  // replacing itself by the program.
  const init = '"$@"; echo "ended with status $?"';
  const child = spawn(
    'nsenter',
    [
      `--net=${join(mounted, namespaceOf(cluster, node))}`,
      ...['unshare', '--mount', '--propagation', 'private', '--pid', '--uts', '--ipc'],
      ...['--fork', '--kill-child', '--mount-proc'],
      ...['bash', '-c', init, 'init', process.execPath, join(repository, 'test/cluster/node/init.ts'), folder],
    ],
    { detached: true, stdio: ['ignore', log, log], cwd: '/' },
  );
  closeSync(log);
  child.unref();
}

/** The host's number of a node's first process, or undefined if the node is down. */
export async function nodeProcess(cluster: Identity, node: string): Promise<number | undefined> {
  for (const pid of await processesIn(namespaceOf(cluster, node))) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    if (/^NSpid:\s+\d+\s+1$/m.test(status)) {
      return pid;
    }
  }
  return undefined;
}

/** Runs a program in a node's namespaces, but for its PID namespace: it can be waited for as any other. */
export async function runInNode(
  cluster: Identity,
  node: string,
  command: string[],
  options: Parameters<typeof run>[2] = {},
): Promise<string> {
  const pid = await nodeProcess(cluster, node);
  if (pid === undefined) {
    throw new Error(`node ${node} of cluster ${cluster.name} does not run`);
  }
  return run('nsenter', [`--target=${pid}`, '--mount', '--uts', '--ipc', '--net', ...command], options);
}

/** Kills all nodes, then removes the cluster's network. Does no harm where nothing is left. */
export async function removeNamespaces(cluster: Identity): Promise<void> {
  const names = (await readdir(mounted).catch(() => [])).filter((name) => name.startsWith(cluster.prefix));
  for (const name of names) {
    // Killing the parent of a PID namespace's first process leaves the kernel to kill all others in it.
    let left = await processesIn(name);
    while (left.length > 0) {
      for (const pid of left) {
        kill(pid);
      }
      await delay(20);
      left = (await Promise.all(left.map(async (pid) => ((await lives(pid)) ? pid : 0)))).filter(Boolean);
      left.push(...(await processesIn(name)));
    }
    await run('ip', ['netns', 'delete', name]);
  }
}

async function processesIn(namespace: string): Promise<number[]> {
  if (!(await exists(join(mounted, namespace)))) {
    return [];
  }
  const text = await run('ip', ['netns', 'pids', namespace]);
  return text.split('\n').filter(Boolean).map(Number);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') {
      throw error;
    }
  }
}

/** A zombie holds nothing any more; who should reap it may be slow to. */
async function lives(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return status !== '' && !/^\d+ \(.*\) Z/s.test(status);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
