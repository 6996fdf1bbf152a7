import { createHash } from 'node:crypto';
import type { ByteStream } from '../../base/bytes.ts';
import { TransferError } from '../../base/errors.ts';
import { defaultPatience, Patience, type PatienceOptions } from '../../base/patience.ts';
import type { Progress } from '../../base/progress.ts';
import { HttpClient, type HttpResponse } from '../http/client.ts';
import { connectionFailure, statusFailure } from '../http/failures.ts';
import { readDocument } from '../http/read-document.ts';
import { ResumableObject } from '../http/resumable-object.ts';
import { type Credentials, RegistryAuthorization } from './authorization.ts';
import { checkedDocument, LONGEST_DOCUMENT } from './checked-document.ts';
import type { ImageStore } from './image-store.ts';
import { acceptedManifests } from './manifest.ts';
import type { ImageReference } from './reference.ts';

/** Failures of a TLS connection to a server that does not speak TLS. */
const noTls = new Set(['TlsFailed', 'ConnectionRefused', 'ConnectionLost']);
/** Statuses by which registries refuse HEAD requests, which they would answer as GET requests. */
const ofTheMethod = new Set([400, 404, 405, 501]);
const sha256Digest = /^sha256:[0-9a-f]{64}$/;

export interface RegistryClientOptions {
  /** Whether any certificate of the registry itself is accepted, and plain http where it does not speak TLS. */
  insecureRegistry?: boolean;
  /** Whether any certificate is accepted of other servers, too, that the registry leads to. */
  insecureSkipVerify?: boolean;
  /** Whether redirects may lead to more internal networks. */
  followsInternalRedirects?: boolean;
  credentials?: Credentials | undefined;
  /** Folders with PEM certificates that are trusted besides the system's. */
  certificatesDirectories?: readonly string[];
  patience?: PatienceOptions;
  /** Most connections for one blob. */
  connections?: number | undefined;
  /** Makes the requests, and is not closed; by default one is made of these options. */
  http?: HttpClient | undefined;
  /** How long a body may stall, in milliseconds. */
  stallTimeout?: number;
  signal: AbortSignal;
}

/** Reads one repository of a registry (OCI distribution specification). */
export class RegistryClient implements ImageStore {
  readonly #image: ImageReference;
  readonly #options: RegistryClientOptions;
  readonly #progress: Progress;
  readonly #http: HttpClient;
  readonly #authorization: RegistryAuthorization;
  #scheme: 'http' | 'https' | undefined;

  constructor(image: ImageReference, options: RegistryClientOptions, progress: Progress) {
    this.#image = image;
    this.#options = options;
    this.#progress = progress;
    this.#http = options.http ?? new HttpClient({ ...options, insecureHosts: insecureHostsOf(image, options) });
    this.#authorization = new RegistryAuthorization(this.#http, image.repository, options.credentials);
    if (options.insecureRegistry !== true) this.#scheme = 'https';
  }

  async manifest(reference: string): Promise<string> {
    const document = await this.#document(`manifests/${reference}`, { accept: acceptedManifests });
    return reference.includes(':') ? checkedDocument(document, reference, this.#image.location) : document.toString();
  }

  async configuration(digest: string): Promise<string> {
    return checkedDocument(await this.#document(`blobs/${digest}`, {}), digest, this.#image.location);
  }

  async blob(digest: string): Promise<ByteStream> {
    const path = `blobs/${digest}`;
    const object = new ResumableObject({
      url: await this.#url(path),
      progress: this.#progress,
      patience: this.#options.patience ?? defaultPatience,
      signal: this.#options.signal,
      connections: this.#options.connections,
      request: async (headers, place) => this.#authorization.request(await this.#url(path), { headers, place }),
    });
    return (await object.open()).bytes;
  }

  /**
   * Returns the digest of a manifest or an index: what the registry says, or where it says nothing, that of the
   * document. It is asked once.
   */
  async digest(reference: string): Promise<string> {
    const { signal } = this.#options;
    const path = `manifests/${reference}`;
    const asked = { headers: { accept: acceptedManifests }, signal };
    try {
      const url = await this.#url(path);
      const head = await this.#authorization.request(url, { ...asked, method: 'HEAD' });
      await head.body.dump();
      const told = head.headers['docker-content-digest'];
      if (head.status === 200 && typeof told === 'string' && sha256Digest.test(told)) return told;
      if (head.status !== 200 && !ofTheMethod.has(head.status)) throw this.#refused(head);
      const response = await this.#authorization.request(url, asked);
      if (response.status !== 200) {
        await response.body.dump();
        throw this.#refused(response);
      }
      const document = await readDocument(response, { longest: LONGEST_DOCUMENT });
      return `sha256:${createHash('sha256').update(document).digest('hex')}`;
    } catch (error) {
      throw this.#explained(error, path);
    }
  }

  async close(): Promise<void> {
    if (this.#options.http === undefined) await this.#http.close();
  }

  async #document(path: string, headers: Record<string, string>): Promise<Buffer> {
    const patience = new Patience(this.#options.patience ?? defaultPatience, this.#progress, this.#options.signal);
    return patience.persist(
      async () => {
        const response = await this.#authorization.request(await this.#url(path), { headers });
        if (response.status === 200) return await readDocument(response, { longest: LONGEST_DOCUMENT });
        await response.body.dump();
        throw this.#refused(response);
      },
      (error) => {
        this.#options.signal.throwIfAborted();
        return this.#explained(error, path);
      },
    );
  }

  #explained(error: unknown, path: string): TransferError {
    const failure = connectionFailure(error, this.#urlWith(this.#scheme ?? 'https', path));
    if (failure.code !== 'TlsFailed') return failure;
    return new TransferError(failure.code, failure.message, { cause: error, remedy: 'allow-plain-http' });
  }

  #refused({ status, headers, url }: HttpResponse): TransferError {
    if (status !== 404) return statusFailure(status, headers, url);
    return new TransferError('NotFound', `${this.#image.location} is not in the registry: check its name and tag`);
  }

  async #url(path: string): Promise<URL> {
    this.#scheme ??= await this.#findScheme();
    return this.#urlWith(this.#scheme, path);
  }

  #urlWith(scheme: 'http' | 'https', path: string): URL {
    return new URL(`${scheme}://${this.#image.host}/v2/${this.#image.repository}/${path}`);
  }

  async #findScheme(): Promise<'http' | 'https'> {
    const { signal } = this.#options;
    try {
      const { body } = await this.#http.request(new URL(`https://${this.#image.host}/v2/`), { signal });
      await body.dump();
      return 'https';
    } catch (error) {
      if (!(error instanceof TransferError) || !noTls.has(error.code)) throw error;
    }
    const { body } = await this.#http.request(new URL(`http://${this.#image.host}/v2/`), { signal });
    await body.dump();
    return 'http';
  }
}

/** Returns the hosts of which any certificate is accepted. */
export function insecureHostsOf(
  { host }: ImageReference,
  { insecureRegistry }: Pick<RegistryClientOptions, 'insecureRegistry'>,
): string[] {
  return insecureRegistry === true ? [host] : [];
}
