import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { spawnBound } from '../support/bound-child.ts';
import { driverName } from './components.ts';
import { mountPoint } from './disk.ts';
import { repository } from './folders.ts';
import { clusterName, identityOf } from './identity.ts';
import { nodeProcess, runInNode } from './namespaces.ts';
import { csiParts } from './parts.ts';
import { blockMetadataService } from './snapshot-metadata-service.ts';

const REGISTRY = '/var/lib/kubelet/plugins_registry';

/** Another CSI driver beside the test cluster's own: the same program under another name, with volumes of its own. */
export interface SecondDriver {
  readonly name: string;
  /** Ends it; its volumes should be gone by then. */
  stop(): Promise<void>;
}

interface SecondDriverOptions {
  /** What its name begins with. */
  readonly prefix?: string;
  /** The node that it runs on. */
  readonly node?: string;
  /** Whether it tells which blocks of its snapshots are allocated or have changed. */
  readonly tellsBlocks?: boolean;
}

/**
 * Starts a second driver with its sidecars on a node; they end with this process at the latest. It is the checkout's
 * own program, also where the cluster runs an older one.
 */
export async function startSecondDriver({
  prefix = 'second',
  node = 'node1',
  tellsBlocks = false,
}: SecondDriverOptions = {}): Promise<SecondDriver> {
  const cluster = identityOf(clusterName());
  const pid = await nodeProcess(cluster, node);
  if (pid === undefined) throw new Error(`node ${node} of cluster ${cluster.name} does not run`);
  const name = `${prefix}.${driverName}`;
  const { csiProvisioner, csiResizer, csiSnapshotter, proto } = await csiParts();
  const socket = `/var/lib/kubelet/plugins/${name}.sock`;
  const start = (program: string, ...args: string[]): ChildProcess => {
    const inNode = [`--target=${pid}`, '--mount', '--uts', '--ipc', '--net', '--pid'];
    // What runs in the node is a child of nsenter, and is to end with it.
    const bound = ['setpriv', '--pdeathsig', 'KILL', '--'];
    return spawnBound('nsenter', [...inNode, '--', ...bound, program, ...args], { stdio: 'ignore', cwd: '/' });
  };
  const sidecar = (program: string, ...args: string[]) =>
    start(
      program,
      `--kubeconfig=${cluster.kubeconfig}`,
      `--csi-address=${socket}`,
      '--retry-interval-start=200ms',
      '--retry-interval-max=5s',
      ...args,
    );
  const children = [
    start(
      process.execPath,
      join(repository, 'test/csi-driver/main.ts'),
      ...['--endpoint', `unix://${socket}`],
      ...['--node-id', node],
      ...['--pool', join(mountPoint(cluster), `${prefix}-pool`)],
      ...['--driver-name', name],
      ...['--proto', proto],
      ...['--kubelet-registration-dir', REGISTRY],
    ),
    sidecar(csiProvisioner, '--extra-create-metadata', '--default-fstype=xfs'),
    sidecar(csiSnapshotter, '--extra-create-metadata'),
    sidecar(csiResizer, '--handle-volume-inuse-error=false'),
  ];
  const service = tellsBlocks ? await blockMetadataService(cluster, node, name) : undefined;
  if (service) children.push(start(service.program, `--csi-address=${socket}`, ...service.args));
  const stop = async () => {
    await service?.remove();
    await Promise.all(children.map(end));
    await runInNode(cluster, node, ['rm', '-f', socket, join(REGISTRY, `${name}-reg.sock`)]);
  };
  return { name, stop };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
