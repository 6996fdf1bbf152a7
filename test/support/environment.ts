import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';
import { cdis } from '../../src/api/cdi.ts';
import { KubeClient } from '../../src/kube/client.ts';
import type { Log } from '../cluster/commands.ts';
import { repository } from '../cluster/folders.ts';
import { buildProductImage, prepareProductImage, productImage } from '../cluster/image.ts';
import { installPrerequisites, status, up, type UpOptions } from '../cluster/index.ts';
import { Kubectl } from './kubectl.ts';
import { prepareStorageClasses, type StorageClasses } from './storage-classes.ts';
import { tellPodTroubles } from './tell-pod-troubles.ts';
import { until } from './until.ts';

/** A cluster with the product installed, for the demo and the end-to-end tests. */
export interface Environment {
  readonly kubeConfigPath: string;
  readonly client: KubeClient;
  readonly kubectl: Kubectl;
  /** Of the product. */
  readonly image: string;
  readonly classes: StorageClasses;
  /** This machine's address as the cluster reaches it. */
  readonly hostAddress: string;
  /** Names that the cluster knows this machine by. */
  readonly hostNames: string[];
}

/** Of the controllers. */
export const productNamespace = 'cdi';
const ROLLOUT_SECONDS = 180;
const TALLY_MILLISECONDS = 2000;

let environment: Promise<Environment> | undefined;

/**
 * Sets everything up, once for the process: the cluster (that of $KUBECONFIG, or the test cluster), the product's image
 * in it, and the product.
 */
export function prepareEnvironment(log: Log): Promise<Environment> {
  environment ??= prepare(log);
  return environment;
}

async function prepare(log: Log): Promise<Environment> {
  const own = await isOwnCluster();
  await installPrerequisites(log, own ? 'cluster' : 'servers');
  return installInto(own ? await prepareOwnCluster({ log }) : foreignCluster(log), own, log);
}

/** Sets up a test cluster beside the one that the tests share, which is to be taken down by who asked for it. */
export async function prepareAnotherCluster(
  options: Required<Pick<UpOptions, 'name' | 'nodes' | 'log'>>,
): Promise<Environment> {
  await installPrerequisites(options.log, 'cluster');
  return installInto(await prepareOwnCluster(options), true, options.log);
}

async function installInto({ kubeConfigPath, image, revision }: Target, own: boolean, log: Log): Promise<Environment> {
  const kubectl = await Kubectl.create(kubeConfigPath);
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(kubeConfigPath);
  const client = new KubeClient(kubeConfig, { userAgent: 'diskpress-test' });
  try {
    await install(kubectl, image, revision, log);
    log('waiting for the CDI object: the controllers set its phase to Deployed');
    await until(client, cdis, { namespace: '', name: 'cdi' }, 'the CDI object is Deployed', (cdi) => {
      return cdi?.status?.phase === 'Deployed';
    });
  } catch (error) {
    await tellPodTroubles(kubectl, productNamespace, log);
    throw error;
  }
  return {
    kubeConfigPath,
    client,
    kubectl,
    image,
    classes: await prepareStorageClasses(client, own),
    hostAddress: await addressTowards(kubeConfig.getCurrentCluster()?.server ?? ''),
    hostNames: own ? ['host.diskpress.test'] : [],
  };
}

/** Whether the test cluster is to be used: where no other is named. */
async function isOwnCluster(): Promise<boolean> {
  const named = process.env.KUBECONFIG;
  return !named || named === (await status()).addresses?.kubeconfig;
}

interface Target {
  readonly kubeConfigPath: string;
  readonly image: string;
  /** Changes with the image's content where its name does not. */
  readonly revision: string | undefined;
}

async function prepareOwnCluster(options: UpOptions): Promise<Target> {
  // The one mostly waits, and the other is at work. A cluster is brought up to its end though there is no image for it.
  const begun = [up(options), prepareProductImage(options.log)] as const;
  await Promise.allSettled(begun);
  const [{ kubeconfig }] = await Promise.all(begun);
  const revision = await buildProductImage(options.log, options.name);
  return { kubeConfigPath: kubeconfig, image: productImage, revision };
}

function foreignCluster(log: Log): Target {
  const kubeConfigPath = process.env.KUBECONFIG ?? '';
  const image = process.env.DISKPRESS_IMAGE || productImage;
  log(`using the cluster of ${kubeConfigPath}, whose nodes must be able to get the image ${image} ($DISKPRESS_IMAGE)`);
  return { kubeConfigPath, image, revision: undefined };
}

/** What is installed, in the order in which one needs the other. */
const deployments = ['cdi-deployment', 'cdi-apiserver', 'cdi-uploadproxy'];

async function install(kubectl: Kubectl, image: string, revision: string | undefined, log: Log): Promise<void> {
  log('installing Diskpress: kubectl apply -k deploy');
  const built = await kubectl.run('kustomize', `${repository}/deploy`);
  const manifests = adapted(built.replaceAll(productImage, image), revision);
  await kubectl.applyText(manifests, tally(manifests.split(/^---$/m).length, log));
  log('waiting for the controllers to have read what there is, and made the keys that the servers wait for;');
  log('pods of an earlier installation are replaced one by one, once these are ready: kubectl rollout status');
  try {
    for (const name of deployments) {
      const rollout = ['rollout', 'status', `deployment/${name}`, `--timeout=${ROLLOUT_SECONDS}s`];
      await kubectl.follow(log, `--namespace=${productNamespace}`, ...rollout);
    }
  } catch (error) {
    throw new Error('Diskpress did not become available in the cluster', { cause: error });
  }
}

/**
 * One controller, because tests look at it, kill it and measure it; and pods that are replaced where the image has
 * changed under the same name. Applied with the rest: a change made afterwards would start every pod twice.
 */
function adapted(manifests: string, revision: string | undefined): string {
  const documents = parseAllDocuments(manifests);
  for (const document of documents) {
    if (document.get('kind') !== 'Deployment') continue;
    const name = String(document.getIn(['metadata', 'name']));
    if (name === 'cdi-deployment') document.setIn(['spec', 'replicas'], 1);
    if (revision === undefined || !deployments.includes(name)) continue;
    document.setIn(['spec', 'template', 'metadata', 'annotations', 'diskpress.test/revision'], revision);
  }
  return documents.map((document) => document.toString({ lineWidth: 0 })).join('---\n');
}

/** Says every few seconds how many objects have been applied, and which was the last; each has a line. */
function tally(total: number, log: Log): Log {
  let applied = 0;
  let told = performance.now();
  return (line) => {
    applied += 1;
    if (performance.now() - told < TALLY_MILLISECONDS) return;
    told = performance.now();
    log(`  ${applied} of ${total} objects: ${line}`);
  };
}

/** The address that this machine calls a server from. */
async function addressTowards(server: string): Promise<string> {
  const { hostname, port } = new URL(server);
  const socket: Socket = createConnection({ host: hostname, port: Number(port || 443) });
  try {
    await once(socket, 'connect');
    return socket.localAddress ?? '';
  } finally {
    socket.destroy();
  }
}
