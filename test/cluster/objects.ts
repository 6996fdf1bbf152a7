import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubernetesObject, V1Node } from '@kubernetes/client-node';
import {
  CoreV1Api,
  Health,
  KubeConfig,
  KubernetesObjectApi,
  PatchStrategy,
  StorageV1Api,
} from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';
import type { Log } from './commands.ts';
import { driverName } from './components.ts';
import type { Identity } from './identity.ts';
import { localPersistentVolume, localStorageClass, localVolumes, localVolumesFolder } from './local-volumes.ts';
import { runInNode } from './namespaces.ts';
import type { Network } from './network.ts';

const fieldManager = 'diskpress-test-cluster';

/** Did not become true in time. */
export class NotReadyInTime extends Error {
  readonly code = 'NotReadyInTime';
  constructor(what: string, seconds: number, reason: string) {
    super(`${what} took more than ${seconds} s${reason ? ` (${reason})` : ''}`);
    this.name = 'NotReadyInTime';
  }
}

export function connectTo(kubeconfig: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  return config;
}

/** Polls until `check` returns something true; errors count as not yet. */
export async function eventually(what: string, check: () => Promise<unknown>, seconds = 120): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    let reason = '';
    try {
      if (await check()) {
        return;
      }
    } catch (error) {
      reason = (error as Error).message.split('\n')[0]!;
    }
    if (Date.now() > deadline) {
      throw new NotReadyInTime(what, seconds, reason);
    }
    await delay(100);
  }
}

/** Waits until the API server answers and its own start-up work, such as making default roles, is done. */
export async function apiServerReady(config: KubeConfig): Promise<void> {
  const health = new Health(config);
  await eventually('starting the API server', () => health.readyz({}));
}

/** Creates the objects that every cluster has; those that are there already are brought back into shape. */
export async function applyObjects(
  config: KubeConfig,
  network: Network,
  nodes: string[],
  crdFiles: string[],
): Promise<void> {
  const api = KubernetesObjectApi.makeApiClient(config);
  const apply = (object: KubernetesObject) =>
    api.patch(object, undefined, undefined, fieldManager, true, PatchStrategy.ServerSideApply);
  const crds = (await Promise.all(crdFiles.map(readObjects))).flat();
  await Promise.all([...crds, ...dnsObjects(network)].map(apply));
  const storage = await readObjects(join(import.meta.dirname, 'manifests/storage.yaml'));
  await Promise.all(
    // A CRD's resource is served a moment after the CRD is.
    storage.map((object) => eventually(`creating ${object.kind} ${object.metadata?.name}`, () => apply(object), 20)),
  );
  await Promise.all(nodes.flatMap((node) => localVolumes.map((volume) => apply(localPersistentVolume(node, volume)))));
}

async function readObjects(file: string): Promise<KubernetesObject[]> {
  return parseAllDocuments(await readFile(file, 'utf8')).map((document) => document.toJS() as KubernetesObject);
}

/** The resolver is a program of the node: a Service without a selector gives it the address that pods ask. */
function dnsObjects(network: Network): KubernetesObject[] {
  const labels = { 'k8s-app': 'kube-dns', 'kubernetes.io/name': 'CoreDNS' };
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ];
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kube-dns', namespace: 'kube-system', labels },
    spec: { clusterIP: network.dnsService, ports },
  };
  const endpoints = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'kube-dns',
      namespace: 'kube-system',
      labels: { ...labels, 'kubernetes.io/service-name': 'kube-dns' },
    },
    addressType: 'IPv4',
    ports,
    endpoints: [{ addresses: [`10.${network.block}.255.1`], conditions: { ready: true } }],
  };
  return [service, endpoints];
}

/** Waits until pods with volumes can run on every node. */
export async function waitUntilReady(config: KubeConfig, nodes: string[], log: Log): Promise<void> {
  const core = config.makeApiClient(CoreV1Api);
  const storage = config.makeApiClient(StorageV1Api);
  log('waiting for the nodes');
  for (const node of nodes) {
    await eventually(`node ${node} getting Ready`, async () => isReady(await core.readNode({ name: node })));
  }
  await eventually('making the default service account', () =>
    core.readNamespacedServiceAccount({ name: 'default', namespace: 'default' }),
  );
  log('waiting for the CSI driver');
  for (const node of nodes) {
    await eventually(`registering the CSI driver on ${node}`, async () =>
      (await storage.readCSINode({ name: node })).spec.drivers.some(({ name }) => name === driverName),
    );
  }
}

export function isReady(node: V1Node): boolean {
  return node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

/** Empties the local volumes whose claims are gone, and offers them again. */
export async function recycleLocalVolumes(config: KubeConfig, cluster: Identity, log: Log): Promise<void> {
  const core = config.makeApiClient(CoreV1Api);
  const { items } = await core.listPersistentVolume();
  for (const volume of items) {
    if (volume.spec?.storageClassName !== localStorageClass || volume.status?.phase !== 'Released') {
      continue;
    }
    const name = volume.metadata!.name!;
    const node = name.split('-', 1)[0]!;
    const path = join(localVolumesFolder, name.slice(node.length + 1));
    log(`emptying local volume ${name}`);
    await runInNode(
      cluster,
      node,
      volume.spec.volumeMode === 'Block'
        ? ['blkdiscard', '--force', path]
        : ['find', path, '-mindepth', '1', '-delete'],
    );
    await core.deletePersistentVolume({ name });
    await eventually(`deleting PersistentVolume ${name}`, async () => {
      const left = await core.listPersistentVolume({ fieldSelector: `metadata.name=${name}` });
      return left.items.length === 0;
    });
  }
}
