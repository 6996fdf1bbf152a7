import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildah } from './buildah.ts';
import type { Identity } from './identity.ts';
import { runInNode } from './namespaces.ts';
import { eventually } from './objects.ts';

const containerd = ['ctr', '--address', '/run/containerd/containerd.sock', '--namespace', 'k8s.io'];

/** Loads all images of a docker or OCI archive into a node's container runtime. */
export async function loadArchive(cluster: Identity, node: string, archive: string): Promise<void> {
  await eventually(
    `starting the container runtime of ${node}`,
    async () => (await runInNode(cluster, node, [...containerd, 'version'])) !== '',
    60,
  );
  await runInNode(cluster, node, [...containerd, 'images', 'import', '--no-unpack=false', '-'], {
    input: createReadStream(archive),
  });
}

/** Calls `use` with the archive itself, or with one made of the image of that name in buildah's storage. */
export async function withArchive(image: string, use: (archive: string) => Promise<void>): Promise<void> {
  const isFile = await stat(image).then(
    (found) => found.isFile(),
    () => false,
  );
  if (isFile) {
    return use(image);
  }
  const folder = await mkdtemp(join(tmpdir(), 'diskpress-image-'));
  try {
    const archive = join(folder, 'image.tar');
    await buildah('push', ['--quiet', image, `docker-archive:${archive}:${image}`]);
    await use(archive);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
