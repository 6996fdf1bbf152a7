import { createHash, type Hash } from 'node:crypto';
import { createReadStream, rmSync } from 'node:fs';
import { link, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run } from '../../cluster/commands.ts';
import type { Registry } from '../../support/registry.ts';
import { atEnd } from '../ending.ts';
import type { BenchImages, ImageName } from '../images.ts';

const type = (name: string) => `application/vnd.oci.image.${name}`;

/** A container disk in a registry. */
export interface PushedDisk {
  url: string;
  /** Hexadecimal digest of its layer. */
  layer: string;
  /** URL of that layer. */
  blob: string;
  /** The same on this machine. */
  archive: string;
}

/** Pushes an image with one gzip layer that holds a disk: https://github.com/opencontainers/image-spec */
export async function pushDisk(registry: Registry, images: BenchImages, name: ImageName): Promise<PushedDisk> {
  const archive = await images.layer(name);
  const layout = await mkdtemp(join(dirname(archive), '.layout-'));
  atEnd(() => rmSync(layout, { recursive: true, force: true }));
  const blobs = join(layout, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const json = async (mediaType: string, value: object) => {
    const text = JSON.stringify(value);
    const hash = createHash('sha256').update(text).digest('hex');
    await writeFile(join(blobs, hash), text);
    return { mediaType: type(mediaType), digest: `sha256:${hash}`, size: text.length };
  };
  const layer = await digestOf(archive);
  await link(archive, join(blobs, layer));
  const config = await json('config.v1+json', {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [`sha256:${layer}`] },
  });
  const manifest = await json('manifest.v1+json', {
    schemaVersion: 2,
    mediaType: type('manifest.v1+json'),
    config,
    layers: [{ mediaType: type('layer.v1.tar+gzip'), digest: `sha256:${layer}`, size: (await stat(archive)).size }],
  });
  const annotations = { 'org.opencontainers.image.ref.name': 'disk' };
  await writeFile(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  await writeFile(
    join(layout, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }),
  );
  const repository = `bench/${name.replaceAll('.', '-')}`;
  const url = `docker://${registry.host}/${repository}:latest`;
  await run('skopeo', ['copy', '--quiet', '--dest-tls-verify=false', `oci:${layout}:disk`, url]);
  await rm(layout, { recursive: true });
  return { url, layer, blob: `http://${registry.host}/v2/${repository}/blobs/sha256:${layer}`, archive };
}

async function digestOf(path: string): Promise<string> {
  const hash: Hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), hash);
  return hash.digest('hex');
}
