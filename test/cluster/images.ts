import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { BuiltImage } from './built-image.ts';
import type { Identity } from './identity.ts';
import { runInNode } from './namespaces.ts';
import { eventually } from './objects.ts';

/** Loads all images of a docker or OCI archive into a node's container runtime. */
export async function loadArchive(cluster: Identity, node: string, archive: string): Promise<void> {
  await eventually(`starting the container runtime of ${node}`, () => ctr(cluster, node, ['version']), 60);
  await load(cluster, node, createReadStream(archive));
}

/** Loads an image that was built here into a node's container runtime, no more of it than is not there already. */
export async function loadBuilt(cluster: Identity, node: string, image: BuiltImage): Promise<void> {
  const listed = await ctr(cluster, node, ['images', 'list', `name==${image.name}`]);
  if (!listed.includes(image.digest)) {
    const known = await ctr(cluster, node, ['content', 'list', '--quiet']);
    await load(cluster, node, image.archive(new Set(known.split('\n'))));
  }
}

async function load(cluster: Identity, node: string, input: Readable): Promise<void> {
  await ctr(cluster, node, ['images', 'import', '-'], input);
}

function ctr(cluster: Identity, node: string, words: string[], input?: Readable): Promise<string> {
  const options = ['--address', '/run/containerd/containerd.sock', '--namespace', 'k8s.io'];
  return runInNode(cluster, node, ['ctr', ...options, ...words], { input });
}
