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
  /** Accept any certificate of the registry itself, and speak plain http to one that does not speak TLS. */
  insecureRegistry?: boolean;
  /** Accept any certificate of the servers that it leads to as well. */
  insecureSkipVerify?: boolean;
  /** Whether answers may lead further inside than they came from. */
  followsInternalRedirects?: boolean;
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
