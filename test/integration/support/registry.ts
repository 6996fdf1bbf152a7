import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, run, type Server, startServer } from './processes.ts';

export interface RegistryOptions {
  /** An existing folder for the registry's files. */
  directory: string;
  credentials?: { user: string; password: string };
  /** PEM files for TLS. */
  tls?: { certificate: string; key: string };
  /** Who gives tokens, and the PEM file of its certificate. */
  tokens?: { realm: string; service: string; issuer: string; certificate: string };
}

/** A real registry (docker-registry) on a port of its own. */
export async function startRegistry({ directory, credentials, tls, tokens }: RegistryOptions): Promise<Server> {
  const port = await freePort();
  const state = join(directory, `registry-${port}`);
  await mkdir(state);
  const htpasswd = credentials === undefined ? '' : `auth: {htpasswd: {realm: test, path: ${join(state, 'htpasswd')}}}`;
  const token = tokens && { ...tokens, certificate: undefined, rootcertbundle: tokens.certificate };
  const auth = token === undefined ? htpasswd : `auth: ${JSON.stringify({ token })}`;
  if (credentials !== undefined) {
    const { stdout } = await run('htpasswd', ['-Bbn', '-C', '4', credentials.user, credentials.password]);
    await writeFile(join(state, 'htpasswd'), stdout);
  }
  const secured = tls === undefined ? '' : `, tls: {certificate: ${tls.certificate}, key: ${tls.key}}`;
  const configuration = `
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: ${state}/data}, delete: {enabled: true}}
http: {addr: 127.0.0.1:${port}${secured}}
${auth}
`;
  await writeFile(join(state, 'config.yml'), configuration);
  return startServer('docker-registry', ['serve', join(state, 'config.yml')], port);
}

export type LayerContents = {
  compression: 'gzip' | 'zstd' | 'none';
} & (
  | {
      /** A folder whose contents become the layer. */
      root: string;
    }
  | {
      /** A file that becomes the layer as it is. */
      archive: string;
    }
);

export interface ImageOptions {
  architecture?: string;
  environment?: string[];
  labels?: Record<string, string>;
  /** From the lowest up. */
  layers: LayerContents[];
}

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  platform?: { architecture: string; os: string };
}

/** Writes an OCI image layout; several images make an index of them. Returns its path. */
export async function writeImageLayout(directory: string, name: string, images: ImageOptions[]): Promise<string> {
  const layout = join(directory, name);
  await mkdir(join(layout, 'blobs', 'sha256'), { recursive: true });
  await writeFile(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  const manifests: Descriptor[] = [];
  for (const image of images) manifests.push(await writeImage(layout, image));
  const indexType = 'application/vnd.oci.image.index.v1+json';
  const index = { schemaVersion: 2, mediaType: indexType, manifests };
  const [only] = manifests;
  const top = manifests.length === 1 && only ? only : await addDocument(layout, indexType, index);
  await writeFile(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [top] }));
  return layout;
}

export async function pushImage(
  layout: string,
  port: number,
  name: string,
  {
    credentials,
    more = ['--preserve-digests'],
  }: { credentials?: { user: string; password: string }; more?: string[] } = {},
): Promise<void> {
  const login = credentials === undefined ? [] : ['--dest-creds', `${credentials.user}:${credentials.password}`];
  const options = ['--insecure-policy', 'copy', '--all', '--dest-tls-verify=false', ...login, ...more];
  await run('skopeo', [...options, `oci:${layout}`, `docker://127.0.0.1:${port}/${name}`]);
}

async function writeImage(layout: string, image: ImageOptions): Promise<Descriptor> {
  const platform = { architecture: image.architecture ?? 'amd64', os: 'linux' };
  const layers: Descriptor[] = [];
  const diffIds: string[] = [];
  for (const layer of image.layers) {
    const { descriptor, diffId } = await addLayer(layout, layer);
    layers.push(descriptor);
    diffIds.push(diffId);
  }
  const config = await addDocument(layout, 'application/vnd.oci.image.config.v1+json', {
    ...platform,
    config: { Env: image.environment ?? [], ...(image.labels ? { Labels: image.labels } : {}) },
    rootfs: { type: 'layers', diff_ids: diffIds },
  });
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  return { ...(await addDocument(layout, mediaType, { schemaVersion: 2, mediaType, config, layers })), platform };
}

async function addLayer(layout: string, layer: LayerContents): Promise<{ descriptor: Descriptor; diffId: string }> {
  const tar = join(layout, 'layer.tar');
  if ('archive' in layer) await copyFile(layer.archive, tar);
  else await run('tar', ['--owner=107', '--group=107', '--sort=name', '-C', layer.root, '-cf', tar, '.']);
  const diffId = await digestOf(tar);
  const suffix = layer.compression === 'none' ? '' : `+${layer.compression}`;
  if (layer.compression === 'gzip') await run('gzip', ['-f', tar]);
  // Its frames come behind skippable ones.
  if (layer.compression === 'zstd') await run('pzstd', ['-q', '--rm', '-f', tar, '-o', `${tar}.zst`]);
  const file = { gzip: `${tar}.gz`, zstd: `${tar}.zst`, none: tar }[layer.compression];
  const digest = await digestOf(file);
  const { size } = await stat(file);
  await rename(file, join(layout, 'blobs', 'sha256', digest.slice('sha256:'.length)));
  return { descriptor: { mediaType: `application/vnd.oci.image.layer.v1.tar${suffix}`, digest, size }, diffId };
}

async function addDocument(layout: string, mediaType: string, document: object): Promise<Descriptor> {
  const text = JSON.stringify(document);
  const hex = createHash('sha256').update(text).digest('hex');
  await writeFile(join(layout, 'blobs', 'sha256', hex), text);
  return { mediaType, digest: `sha256:${hex}`, size: Buffer.byteLength(text) };
}

async function digestOf(path: string): Promise<string> {
  return `sha256:${createHash('sha256')
    .update(await readFile(path))
    .digest('hex')}`;
}
