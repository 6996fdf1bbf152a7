import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import { buildah } from './buildah.ts';
import { cacheFolder } from './folders.ts';

interface Descriptor {
  digest: string;
  size: number;
}

interface Manifest {
  config: Descriptor;
  layers: Descriptor[];
}

/** An image that was built here, exported as files. */
export class BuiltImage {
  readonly name: string;
  /** Of the manifest, as a node's container runtime lists it. */
  readonly digest: string;
  readonly #folder: string;
  readonly #text: Buffer;
  readonly #manifest: Manifest;

  private constructor(name: string, folder: string, text: Buffer) {
    this.name = name;
    this.digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
    this.#folder = folder;
    this.#text = text;
    this.#manifest = JSON.parse(text.toString()) as Manifest;
  }

  /** Exports an image of buildah's, unless it is the one that was exported under this name last. */
  static async export(name: string): Promise<BuiltImage> {
    const folder = join(cacheFolder(), 'images', 'built', encodeURIComponent(name));
    const id = await buildah('inspect', ['--type', 'image', '--format', '{{.FromImageID}}', name]);
    const last = await BuiltImage.#read(name, folder);
    if (last && last.#manifest.config.digest === `sha256:${id}`) {
      return last;
    }
    await mkdir(folder, { recursive: true });
    await buildah('push', ['--quiet', '--format', 'oci', '--disable-compression', name, `dir:${folder}`]);
    const image = (await BuiltImage.#read(name, folder))!;
    await image.#removeOtherFiles();
    return image;
  }

  static async #read(name: string, folder: string): Promise<BuiltImage | undefined> {
    const text = await readFile(join(folder, 'manifest.json')).catch(() => undefined);
    return text && new BuiltImage(name, folder, text);
  }

  /** An OCI archive without the blobs that are known where it goes. */
  archive(known: Set<string>): Readable {
    const tar = pack();
    const json = (name: string, value: object) => tar.entry({ name }, JSON.stringify(value));
    const write = async () => {
      json('oci-layout', { imageLayoutVersion: '1.0.0' });
      json('index.json', {
        schemaVersion: 2,
        manifests: [
          {
            mediaType: 'application/vnd.oci.image.manifest.v1+json',
            digest: this.digest,
            size: this.#text.length,
            annotations: { 'io.containerd.image.name': this.name },
          },
        ],
      });
      tar.entry({ name: blobName(this.digest) }, this.#text);
      for (const { digest, size } of this.#blobs().filter((blob) => !known.has(blob.digest))) {
        await pipeline(createReadStream(this.#file(digest)), tar.entry({ name: blobName(digest), size }));
      }
      tar.finalize();
    };
    write().catch((error: unknown) => tar.destroy(error as Error));
    return Readable.from(tar);
  }

  #blobs(): Descriptor[] {
    return [this.#manifest.config, ...this.#manifest.layers];
  }

  #file(digest: string): string {
    return join(this.#folder, digest.replace('sha256:', ''));
  }

  /** Layers of earlier images of this name would fill the cache. */
  async #removeOtherFiles(): Promise<void> {
    const used = new Set(this.#blobs().map(({ digest }) => this.#file(digest)));
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name);
      if (/^[0-9a-f]{64}$/.test(name) && !used.has(path)) {
        await rm(path);
      }
    }
  }
}

function blobName(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}
