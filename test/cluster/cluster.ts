import { mkdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withImageLock } from './buildah.ts';
import { BuiltImage } from './built-image.ts';
import { busyboxArchive } from './busybox-image.ts';
import type { Log } from './commands.ts';
import { run } from './commands.ts';
import { tellComponentTroubles } from './component-troubles.ts';
import type { Programs } from './components.ts';
import { apiServerUrl, configureNode } from './components.ts';
import { createControlGroups, removeControlGroups } from './control-groups.ts';
import { createDisk, detachDisk, diskDevice, mountPoint } from './disk.ts';
import { cacheFolder, repository, stateFolder } from './folders.ts';
import type { Identity } from './identity.ts';
import { clusterName, identityOf, nodeFolder } from './identity.ts';
import { loadArchive, loadBuilt } from './images.ts';
import { kubeconfigOf } from './kubeconfig.ts';
import { withLock } from './lock.ts';
import { connectNode, createSwitch, namespaceOf, removeNamespaces, startNode } from './namespaces.ts';
import { freeBlock, networkOf, nodeNetworkOf } from './network.ts';
import type { NodeSpec, NodeStatus } from './node/spec.ts';
import { controlComponent, nodeStatus, UnknownComponent } from './node-control.ts';
import { apiServerReady, applyObjects, connectTo, recycleLocalVolumes, waitUntilReady } from './objects.ts';
import { corednsBinary, csiParts, kubernetesBinaries, snapshotMetadataCrds, tellBuilds } from './parts.ts';
import type { KeyPair } from './pki.ts';
import { Authority } from './pki.ts';
import { installPrerequisites } from './prerequisites.ts';
import type { ClusterState } from './state.ts';
import { allStates, readState, writeState } from './state.ts';

export interface UpOptions {
  /** Which cluster; that of $DISKPRESS_CLUSTER unless given. */
  name?: string;
  /** How many nodes the cluster must have at least; 1 unless given. */
  nodes?: number;
  log?: Log;
}

export interface ClusterAddresses {
  /** Path of the kubeconfig file of an administrator. */
  kubeconfig: string;
  /** Address of the node with the control plane, as the host and pods reach it. */
  nodeAddress: string;
  /** The host's address as nodes and pods reach it: what a test's server binds to. */
  hostAddress: string;
}

/** Makes the cluster if it is not there, and returns once it is ready for use. */
export async function up(options: UpOptions = {}): Promise<ClusterAddresses> {
  const log = options.log ?? (() => undefined);
  const count = options.nodes ?? 1;
  if (!Number.isInteger(count) || count < 1 || count > 9) {
    throw new RangeError('a cluster has 1 to 9 nodes');
  }
  const cluster = identityOf(options.name ?? clusterName());
  await installPrerequisites(log);
  await tellBuilds(log);
  const programs: Programs = {
    kubernetes: await kubernetesBinaries({ log }),
    csi: await csiParts({ log }),
    coredns: await corednsBinary({ log }),
  };
  return locked(cluster, log, async () => {
    let state = await readState(cluster);
    if (state && !(await isSound(cluster, state))) {
      log(`cluster ${cluster.name} is incomplete or was ended from outside: starting again`);
      state = undefined;
    }
    if (!state) {
      await remove(cluster);
      state = await create(cluster);
    }
    while (state.nodes.length < count) {
      state = await addNode(cluster, state, programs, log);
    }
    const { nodes } = state;
    await startStopped(cluster, nodes);
    await Promise.all([
      ...nodes.map(async (node) => loadArchive(cluster, node, await busyboxArchive())),
      makeReady(cluster, state, programs, log),
    ]).catch(async (error: unknown) => {
      for (const node of nodes) {
        await tellComponentTroubles(cluster, node, log);
      }
      throw error;
    });
    await writeState(cluster, { ...state, complete: true });
    return addressesOf(cluster, state);
  });
}

/** Removes the cluster and everything that belongs to it; does no harm where there is none. */
export async function down(log: Log = () => undefined, name = clusterName()): Promise<void> {
  const cluster = identityOf(name);
  await locked(cluster, log, () => remove(cluster));
}

export interface ClusterStatus {
  name: string;
  /** Not set if there is no cluster, or `up` did not come to its end. */
  addresses?: ClusterAddresses;
  nodes: NodeStatus[];
}

/** What exists of the cluster, without changing anything. */
export async function status(name = clusterName()): Promise<ClusterStatus> {
  const cluster = identityOf(name);
  const state = await readState(cluster);
  const nodes = (state?.nodes ?? []).map(async (node) => {
    return (await nodeStatus(cluster, node)) ?? { name: node, components: [] };
  });
  return {
    name: cluster.name,
    addresses: state?.complete ? addressesOf(cluster, state) : undefined,
    nodes: await Promise.all(nodes),
  };
}

/**
 * Stops, starts or restarts a component (kube-apiserver, csi-provisioner, …) on the nodes that have it, or on one.
 * @param options.signal what it is stopped with; SIGTERM unless given.
 */
export async function controlNodeComponent(
  action: 'start' | 'stop' | 'restart',
  component: string,
  options: { node?: string; signal?: NodeJS.Signals } = {},
): Promise<void> {
  const cluster = identityOf(clusterName());
  const { nodes } = await status();
  const having = nodes.filter(
    ({ name, components }) =>
      (options.node === undefined || name === options.node) && components.some((each) => each.name === component),
  );
  if (having.length === 0) {
    throw new UnknownComponent(component, options.node ?? 'any');
  }
  await Promise.all(having.map(({ name }) => controlComponent(cluster, name, action, component, options.signal)));
}

/**
 * Loads an image into every node.
 * @param image a docker or OCI archive, or the name of an image that buildah has.
 */
export async function loadImage(image: string, log: Log = () => undefined): Promise<void> {
  const isArchive = await stat(image).then(
    (found) => found.isFile(),
    () => false,
  );
  if (isArchive) {
    await loadIntoNodes(clusterName(), image, log, (cluster, node) => loadArchive(cluster, node, image));
  } else {
    await withImageLock(log, () => loadBuiltImage(image, log));
  }
}

/** {@link loadImage} of an image that buildah has, for callers that hold the lock of images. */
export async function loadBuiltImage(image: string, log: Log, name = clusterName()): Promise<void> {
  const built = await BuiltImage.export(image);
  await loadIntoNodes(name, image, log, (cluster, node) => loadBuilt(cluster, node, built));
}

async function loadIntoNodes(
  name: string,
  image: string,
  log: Log,
  load: (cluster: Identity, node: string) => Promise<void>,
): Promise<void> {
  const cluster = identityOf(name);
  const { nodes } = await status(name);
  if (nodes.length === 0) {
    throw new Error(`cluster ${cluster.name} does not run: start it with "up"`);
  }
  log(`loading ${image} into the nodes, which may take half a minute`);
  await Promise.all(nodes.map((node) => load(cluster, node.name)));
}

/** Two at a time would undo each other's work. The lock is not the cluster's, so that `down` leaves nothing. */
function locked<T>(cluster: Identity, log: Log, work: () => Promise<T>): Promise<T> {
  const lock = join(cacheFolder(), 'locks', `cluster-${cluster.name}`);
  return withLock(lock, work, () => log(`waiting for another process that works on cluster ${cluster.name}`));
}

function addressesOf(cluster: Identity, { block }: ClusterState): ClusterAddresses {
  const network = networkOf(block);
  return {
    kubeconfig: cluster.kubeconfig,
    nodeAddress: nodeNetworkOf(network, 1).address,
    hostAddress: network.hostAddress,
  };
}

async function isSound(cluster: Identity, state: ClusterState): Promise<boolean> {
  const answers = await Promise.all(state.nodes.map((node) => nodeStatus(cluster, node)));
  return state.complete && answers.every((answer) => answer !== undefined);
}

/** Makes what the nodes share: addresses, the switch, the disk, the certificate authority. */
async function create(cluster: Identity): Promise<ClusterState> {
  await mkdir(cluster.folder, { recursive: true, mode: 0o755 });
  const state = await withLock(join(cacheFolder(), 'locks', 'addresses'), async () => {
    const routes = JSON.parse(await run('ip', ['-json', 'route', 'show', 'table', 'all'])) as { dst: string }[];
    const taken = (await allStates()).map(({ block }) => block);
    const chosen = {
      block: freeBlock(
        routes.map(({ dst }) => dst),
        taken,
      ),
      nodes: [],
      complete: false,
    };
    await writeState(cluster, chosen);
    return chosen;
  });
  const network = networkOf(state.block);
  await createSwitch(cluster, network);
  await createDisk(cluster);
  const authority = await Authority.create(cluster.name);
  await writeFile(authorityFile(cluster), JSON.stringify({ certificate: authority.certificate, key: authority.key }), {
    mode: 0o600,
  });
  const administrator = await authority.issue({ commonName: 'administrator', organization: 'system:masters' });
  await writeFile(
    cluster.kubeconfig,
    kubeconfigOf(cluster.name, apiServerUrl(nodeNetworkOf(network, 1).address), authority.certificate, administrator),
    { mode: 0o600 },
  );
  return state;
}

function authorityFile(cluster: Identity): string {
  return join(cluster.folder, 'authority.json');
}

async function addNode(cluster: Identity, state: ClusterState, programs: Programs, log: Log): Promise<ClusterState> {
  const network = networkOf(state.block);
  const index = state.nodes.length + 1;
  const name = `node${index}`;
  log(`starting ${name}`);
  const node = nodeNetworkOf(network, index);
  const others = state.nodes.map((other, position) => ({ name: other, ...nodeNetworkOf(network, position + 1) }));
  await mkdir(nodeFolder(cluster, name), { recursive: true });
  await connectNode(cluster, network, { name, ...node }, others);
  await createControlGroups(namespaceOf(cluster, name));
  const disk = mountPoint(cluster);
  const authority = await Authority.from(JSON.parse(await readFile(authorityFile(cluster), 'utf8')) as KeyPair);
  const controlPlane = nodeNetworkOf(network, 1).address;
  const plan = { cluster, name, network, node, controlPlane, authority, programs, disk };
  const spec: NodeSpec = {
    name,
    folder: nodeFolder(cluster, name),
    device: await diskDevice(cluster),
    disk,
    keep: [stateFolder(), cacheFolder(), repository],
    hosts: `127.0.0.1 localhost\n::1 localhost\n${node.address} ${name}\n`,
    components: await configureNode(plan, index === 1),
  };
  await writeFile(join(spec.folder, 'node.json'), JSON.stringify(spec, undefined, 2));
  const next = { ...state, nodes: [...state.nodes, name], complete: false };
  await writeState(cluster, next);
  startNode(cluster, name);
  return next;
}

/** A test that was killed may have left components stopped. */
async function startStopped(cluster: Identity, nodes: string[]): Promise<void> {
  for (const node of nodes) {
    const components = (await nodeStatus(cluster, node))?.components ?? [];
    for (const { name } of components.filter(({ stopped }) => stopped)) {
      await controlComponent(cluster, node, 'start', name);
    }
  }
}

async function makeReady(cluster: Identity, state: ClusterState, programs: Programs, log: Log): Promise<void> {
  const config = connectTo(cluster.kubeconfig);
  log('waiting for the API server');
  await apiServerReady(config);
  const crds = [...programs.csi.snapshotCrds, ...(await snapshotMetadataCrds({ log }))];
  await applyObjects(config, networkOf(state.block), state.nodes, crds);
  await waitUntilReady(config, state.nodes, log);
  await recycleLocalVolumes(config, cluster, log);
}

async function remove(cluster: Identity): Promise<void> {
  await removeNamespaces(cluster);
  await detachDisk(cluster);
  await removeControlGroups(cluster.prefix);
  await rm(cluster.folder, { recursive: true, force: true });
  await rmdir(stateFolder()).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'ENOENT') {
      throw error;
    }
  });
}
