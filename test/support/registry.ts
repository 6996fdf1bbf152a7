import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { run } from '../cluster/commands.ts';
import { Program } from './child-process.ts';
import { freePorts } from './ports.ts';
import { listening } from './web-server.ts';

/** A registry that speaks plain http. */
export interface Registry {
  /** `address:port`, as image references and insecureRegistries name it. */
  readonly host: string;
  /** Makes an image that holds a disk and pushes it, as `host/repository:tag`. */
  push(disk: ContainerDisk): Promise<void>;
  stop(): Promise<void>;
}

/** A container disk: an image with a disk in its folder /disk. */
export interface ContainerDisk {
  /** `repository:tag` */
  readonly name: string;
  /** Path of the disk. */
  readonly disk: string;
  readonly compression: 'none' | 'gzip' | 'zstd';
  /** `NAME=value` of the image's environment. */
  readonly environment?: readonly string[];
  /** Makes it an index with an image for each of these architectures; the value tells whether it has the disk. */
  readonly architectures?: Readonly<Record<string, boolean>>;
}

/**
 * Starts docker-registry.
 *
 * @param options.state an existing folder for its own files
 */
export async function startRegistry(options: { address: string; state: string }): Promise<Registry> {
  const [port = 0] = await freePorts(1);
  const host = `${options.address}:${port}`;
  const folder = join(options.state, `registry-${port}`);
  await mkdir(folder, { recursive: true });
  const configuration = {
    version: '0.1',
    log: { level: 'warn' },
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    http: { addr: host },
  };
  // JSON is YAML.
  await writeFile(join(folder, 'config.yml'), JSON.stringify(configuration));
  const program = new Program('docker-registry', ['serve', join(folder, 'config.yml')], join(folder, 'registry.log'));
  await listening(options.address, port, () => program.running);
  return {
    host,
    push: async (disk) => {
      const layout = join(folder, 'layout');
      await writeLayout(layout, disk);
      try {
        const target = `docker://${host}/${disk.name}`;
        await run('skopeo', ['copy', '--quiet', '--all', '--dest-tls-verify=false', `oci:${layout}:disk`, target]);
      } finally {
        await rm(layout, { recursive: true });
      }
    },
    stop: () => program.end('SIGTERM'),
  };
}

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

const type = (name: string) => `application/vnd.oci.image.${name}`;
const SUFFIX = { none: '', gzip: '+gzip', zstd: '+zstd' } as const;

/** Writes an OCI image layout: https://github.com/opencontainers/image-spec/blob/main/image-layout.md */
async function writeLayout(folder: string, disk: ContainerDisk): Promise<void> {
  const blobs = join(folder, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const blob = async (mediaType: string, content: Buffer): Promise<Descriptor> => {
    const hash = sha256(content);
    await writeFile(join(blobs, hash), content);
    return { mediaType, digest: `sha256:${hash}`, size: content.length };
  };
  const json = (mediaType: string, value: object) => blob(mediaType, Buffer.from(JSON.stringify(value)));
  const image = async (architecture: string, files: Record<string, Buffer>) => {
    const layer = await tar(files);
    const { compression, environment = [] } = disk;
    const compressed =
      compression === 'gzip' ? gzipSync(layer, { level: 1 }) : compression === 'zstd' ? zstdCompressSync(layer) : layer;
    return json(type('manifest.v1+json'), {
      schemaVersion: 2,
      mediaType: type('manifest.v1+json'),
      config: await json(type('config.v1+json'), {
        architecture,
        os: 'linux',
        config: { Env: environment },
        rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
      }),
      layers: [await blob(type(`layer.v1.tar${SUFFIX[compression]}`), compressed)],
    });
  };
  const content = { 'disk/disk.img': await readFile(disk.disk) };
  const manifests = await Promise.all(
    Object.entries(disk.architectures ?? {}).map(async ([architecture, hasDisk]) => ({
      ...(await image(architecture, hasDisk ? content : { 'empty/readme': Buffer.from(architecture) })),
      platform: { architecture, os: 'linux' },
    })),
  );
  const top =
    manifests.length > 0
      ? await json(type('index.v1+json'), { schemaVersion: 2, mediaType: type('index.v1+json'), manifests })
      : await image(process.arch === 'x64' ? 'amd64' : process.arch, content);
  await writeFile(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  const annotations = { 'org.opencontainers.image.ref.name': 'disk' };
  await writeFile(
    join(folder, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...top, annotations }] }),
  );
}

async function tar(files: Record<string, Buffer>): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of Object.entries(files)) {
    archive.entry({ name: `${name.slice(0, name.lastIndexOf('/') + 1)}`, type: 'directory', mode: 0o755 });
    archive.entry({ name, mode: 0o440, uid: 107, gid: 107 }, content);
  }
  archive.finalize();
  return buffer(archive);
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
