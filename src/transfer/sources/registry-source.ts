import { arch } from 'node:process';
import { TransferError } from '../errors.ts';
import type { Progress } from '../progress.ts';
import type { Credentials } from '../registry/authorization.ts';
import { RegistryClient } from '../registry/client.ts';
import { credentialsFor } from '../registry/docker-config.ts';
import { DiskFinder } from '../registry/disk-finder.ts';
import { labelsFromEnvironment } from '../registry/kubevirt-labels.ts';
import { Layer } from '../registry/layer.ts';
import {
  parseEnvironment,
  parseManifest,
  selectPlatform,
  type Descriptor,
  type Manifest,
} from '../registry/manifest.ts';
import { parseImageReference, type ImageReference } from '../registry/reference.ts';
import type { PatienceOptions } from '../patience.ts';
import type { OpenedSource, Source } from '../source.ts';

export interface RegistrySourceOptions {
  /** docker://host[:port]/repository[:tag|@digest] */
  url: string;
  /** Accept any certificate, and speak plain http to a registry that does not speak TLS. */
  insecureRegistry?: boolean;
  /** As image indexes spell it; this machine's own by default. */
  architecture?: string | undefined;
  credentials?: Credentials | undefined;
  /** What `docker login` writes, for where there are no credentials. */
  dockerConfig?: string | undefined;
  /** Folders with PEM certificates to trust besides the system's. */
  certificatesDirectories?: readonly string[];
  patience?: PatienceOptions;
  /** How many connections to use at most for one layer. */
  connections?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** The disk in an image of a container registry: the file below /disk/ in its layers. */
export class RegistrySource implements Source {
  readonly location: string;
  labels: Record<string, string> = {};
  readonly #image: ImageReference;
  readonly #architecture: string;
  readonly #progress: Progress;
  readonly #registry: RegistryClient;
  readonly #closing = new AbortController();

  constructor(options: RegistrySourceOptions, progress: Progress) {
    this.#image = parseImageReference(options.url);
    this.location = this.#image.location;
    this.#architecture = options.architecture ?? ownArchitecture();
    this.#progress = progress;
    const { signal: closing } = this.#closing;
    const signal = options.signal === undefined ? closing : AbortSignal.any([options.signal, closing]);
    const { dockerConfig } = options;
    const credentials =
      options.credentials ?? (dockerConfig === undefined ? undefined : credentialsFor(this.#image, dockerConfig));
    this.#registry = new RegistryClient(this.#image, { ...options, credentials, signal }, progress);
  }

  async open(): Promise<OpenedSource> {
    const { config, layers } = await this.#manifest();
    this.labels = labelsFromEnvironment(
      parseEnvironment(await this.#registry.configuration(config.digest), this.location),
    );
    const finder = new DiskFinder();
    for (const layer of layers.toReversed()) {
      const disk = await this.#diskIn(layer, finder);
      if (disk !== undefined) return disk;
      finder.descend();
    }
    throw new TransferError(
      'DiskNotFound',
      `${this.location} has no file below /disk/, where a container disk keeps its image`,
    );
  }

  /** Layers are compressed as a whole. */
  async openRanges(): Promise<undefined> {
    return undefined;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#registry.close();
  }

  async #manifest(): Promise<Manifest> {
    const found = parseManifest(await this.#registry.manifest(this.#image.reference), this.location);
    if ('manifest' in found) return found.manifest;
    const { digest } = selectPlatform(found.index, this.#architecture, this.location);
    const selected = parseManifest(await this.#registry.manifest(digest), this.location);
    if ('manifest' in selected) return selected.manifest;
    throw new TransferError('ProtocolViolation', `${this.location} is an index of indexes`);
  }

  async #diskIn({ digest, size: layerSize }: Descriptor, finder: DiskFinder): Promise<OpenedSource | undefined> {
    const transferSize = this.#progress.bytesRead + layerSize;
    const layer = await Layer.open(await this.#registry.blob(digest), digest, this.location);
    for await (const entry of layer.entries) {
      if (!finder.accept(entry)) continue;
      const { path, size } = entry;
      this.#progress.note('found', { path, layer: digest, bytes: size });
      return {
        ...{ bytes: layer.contentsOf(entry), size, transferSize, mediaType: undefined },
        version: `${digest} ${path}`,
      };
    }
    await layer.finish();
    return undefined;
  }
}

/** The name that image indexes have for this machine's architecture. */
function ownArchitecture(): string {
  const names: Partial<Record<typeof arch, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };
  return names[arch] ?? arch;
}
