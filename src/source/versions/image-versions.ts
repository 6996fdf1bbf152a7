import { Progress } from '../../base/progress.ts';
import { type AskForObject, askPlainly } from '../http/ask-for-object.ts';
import type { HttpClient } from '../http/client.ts';
import { parseHttpUrl } from '../http/location.ts';
import type { Network } from '../http/network.ts';
import type { ProxySettings } from '../http/proxies.ts';
import { askGcs } from '../object-storage/ask-gcs.ts';
import { gcsObjectUrl } from '../object-storage/gcs-location.ts';
import { S3Requests } from '../object-storage/s3-requests.ts';
import { insecureHostsOf, RegistryClient } from '../registry/client.ts';
import { credentialsFor } from '../registry/docker-config.ts';
import { parseImageReference } from '../registry/reference.ts';
import { ClientPool } from './client-pool.ts';
import type { FoundVersion } from './found-version.ts';
import type { ImageSource } from './image-source.ts';
import { objectVersion } from './object-version.ts';

/** Settings of the one who asks. */
export interface AskingSettings {
  readonly proxies: ProxySettings;
  /** PEM certificates of the authorities of the proxies. */
  readonly proxyCertificates: readonly string[];
  readonly followsInternalRedirects: boolean;
  /** Networks that no request may lead to. */
  readonly refusedNetworks: readonly Network[];
}

/** Finds out which version of an image there is at a source, without reading the image. */
export class ImageVersions {
  readonly #clients = new ClientPool();

  /**
   * @param known what was found last, for a conditional request
   * @throws TransferError; the reason of the signal where that is aborted
   */
  async find(
    source: ImageSource,
    settings: AskingSettings,
    known: FoundVersion | undefined,
    signal: AbortSignal,
  ): Promise<FoundVersion> {
    try {
      return await this.#find(source, settings, known, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  }

  async #find(
    source: ImageSource,
    settings: AskingSettings,
    known: FoundVersion | undefined,
    signal: AbortSignal,
  ): Promise<FoundVersion> {
    const { proxyCertificates, ...more } = settings;
    const options = { ...more, certificates: [...source.certificates, ...proxyCertificates] };
    if (source.type === 'registry') {
      const image = parseImageReference(source.url);
      const insecureHosts = insecureHostsOf(image, source);
      return this.#clients.use({ ...options, insecureHosts }, (client) => ofRegistry(source, client, signal));
    }
    const insecureSkipVerify = source.type === 'http' && source.insecureSkipVerify;
    const ask = askFor(source);
    return this.#clients.use({ ...options, insecureSkipVerify }, (client) => objectVersion(ask, client, known, signal));
  }
}

async function ofRegistry(
  source: Extract<ImageSource, { type: 'registry' }>,
  http: HttpClient,
  signal: AbortSignal,
): Promise<FoundVersion> {
  const image = parseImageReference(source.url);
  const { insecureRegistry, dockerConfig } = source;
  const credentials =
    source.credentials ?? (dockerConfig === undefined ? undefined : credentialsFor(image, dockerConfig));
  const registry = new RegistryClient(image, { insecureRegistry, credentials, http, signal }, new Progress());
  return { digest: await registry.digest(image.reference) };
}

function askFor(source: Exclude<ImageSource, { type: 'registry' }>): AskForObject {
  if (source.type === 'gcs') return askGcs(gcsObjectUrl(source.url), source.serviceAccount);
  const url = parseHttpUrl(source.url);
  if (source.type === 'http') return askPlainly(url, source);
  const { credentials } = source;
  const requests = new S3Requests(
    url,
    credentials && { accessKeyId: credentials.user, secretAccessKey: credentials.password },
  );
  return (client, asked) => requests.ask(client, asked);
}
