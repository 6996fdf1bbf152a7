import type { PatienceOptions } from '../../base/patience.ts';
import type { Progress } from '../../base/progress.ts';
import type { Credentials } from '../registry/authorization.ts';
import { RegistryClient } from '../registry/client.ts';
import { credentialsFor } from '../registry/docker-config.ts';
import { parseImageReference } from '../registry/reference.ts';
import { ContainerImage } from './container-image.ts';

export interface RegistrySourceOptions {
  /** docker://host[:port]/repository[:tag|@digest] */
  url: string;
  /** Whether any certificate of the registry itself is accepted, and plain http where it does not speak TLS. */
  insecureRegistry?: boolean;
  /** Whether any certificate is accepted of other servers, too, that the registry leads to. */
  insecureSkipVerify?: boolean;
  /** Whether redirects may lead to more internal networks. */
  followsInternalRedirects?: boolean;
  /** Architecture as image indexes spell it; by default that of this machine. */
  architecture?: string | undefined;
  credentials?: Credentials | undefined;
  /** Credentials in the format of `docker login`, for use where no others are given. */
  dockerConfig?: string | undefined;
  /** Folders with PEM certificates that are trusted besides the system's. */
  certificatesDirectories?: readonly string[];
  patience?: PatienceOptions;
  /** Most connections for one layer. */
  connections?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** The disk in an image of a container registry. */
export class RegistrySource extends ContainerImage {
  readonly #closing: AbortController;

  constructor(options: RegistrySourceOptions, progress: Progress) {
    const image = parseImageReference(options.url);
    const closing = new AbortController();
    const signal = options.signal === undefined ? closing.signal : AbortSignal.any([options.signal, closing.signal]);
    const { dockerConfig, architecture } = options;
    const credentials =
      options.credentials ?? (dockerConfig === undefined ? undefined : credentialsFor(image, dockerConfig));
    const registry = new RegistryClient(image, { ...options, credentials, signal }, progress);
    super(registry, { ...image, architecture }, progress);
    this.#closing = closing;
  }

  override async close(): Promise<void> {
    this.#closing.abort();
    await super.close();
  }
}
