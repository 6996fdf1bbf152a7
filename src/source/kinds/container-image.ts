import { arch } from 'node:process';
import { TransferError } from '../../base/errors.ts';
import type { Progress } from '../../base/progress.ts';
import type { OpenedSource, Source } from '../../base/source.ts';
import { refuseBootable } from '../registry/bootable-image.ts';
import { DiskSearch } from '../registry/disk-search.ts';
import type { ImageStore } from '../registry/image-store.ts';
import { labelsFromEnvironment } from '../registry/kubevirt-labels.ts';
import { type Manifest, parseConfiguration, parseManifest, selectPlatform } from '../registry/manifest.ts';

/** Deepest nesting of indexes; an index lists images or other indexes. */
const DEEPEST_INDEX = 3;

export interface ContainerImageOptions {
  /** Location for messages. */
  location: string;
  /** The reference of the image in the store. */
  reference: string;
  /** Architecture as image indexes spell it; by default that of this machine. */
  architecture?: string | undefined;
}

/** The disk in a container image: the file below /disk/ in its layers. */
export class ContainerImage implements Source {
  readonly location: string;
  labels: Record<string, string> = {};
  readonly #reference: string;
  readonly #architecture: string;
  readonly #store: ImageStore;
  readonly #progress: Progress;

  constructor(store: ImageStore, options: ContainerImageOptions, progress: Progress) {
    this.location = options.location;
    this.#reference = options.reference;
    this.#architecture = options.architecture ?? ownArchitecture();
    this.#store = store;
    this.#progress = progress;
  }

  async open(): Promise<OpenedSource> {
    const { config, layers } = await this.#manifest();
    const configuration = await this.#store.configuration(config.digest);
    const { environment, labels } = parseConfiguration(configuration, this.location);
    refuseBootable(labels, this.location);
    this.labels = labelsFromEnvironment(environment);
    const search = new DiskSearch(this.#store, this.location, this.#progress);
    const { path, digest, ...disk } = await search.find(layers.toReversed());
    return { ...disk, path: `/${path}`, mediaType: undefined, version: `${digest} ${path}` };
  }

  /** Layers are compressed as a whole, so that there is no random access. */
  async openRanges(): Promise<undefined> {
    return undefined;
  }

  async close(): Promise<void> {
    await this.#store.close();
  }

  async #manifest(): Promise<Manifest> {
    let reference = this.#reference;
    for (let depth = 0; depth < DEEPEST_INDEX; depth += 1) {
      const found = parseManifest(await this.#store.manifest(reference), this.location);
      if ('manifest' in found) return found.manifest;
      reference = selectPlatform(found.index, this.#architecture, this.location).digest;
    }
    throw new TransferError('ProtocolViolation', `${this.location} is an index of indexes of indexes`);
  }
}

/** Returns the name of this machine's architecture in image indexes. */
function ownArchitecture(): string {
  const names: Partial<Record<typeof arch, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };
  return names[arch] ?? arch;
}
