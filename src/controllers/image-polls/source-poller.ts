import type { DataVolumeSource } from '../../api/source-fields.ts';
import { advised, asTransferError, TransferError } from '../../base/errors.ts';
import { unlessAborted } from '../../base/unless-aborted.ts';
import type { KubeClient } from '../../kube/client.ts';
import { ApiError, ConnectionError, WaitingError } from '../../kube/errors.ts';
import { advice } from '../../protocol/advice.ts';
import type { AskingSettings, ImageVersions } from '../../source/versions/image-versions.ts';
import { FairLimit } from '../progress/fair-limit.ts';
import type { ConfigView } from '../runtime/config-view.ts';
import { type AskedImage, askedImage } from './asked-image.ts';
import type { ImagePoller, ImageVersion, KnownVersion } from './image-poller.ts';
import { imageSourceOf } from './image-source.ts';
import { imageStreamVersion } from './image-stream.ts';
import { readCertificates, readNeeded } from './read-needed.ts';

/** Polls at once; those for one host are fewer, so that a slow one does not delay the others. */
const LIMITS = { atOnce: 16, ofOneGroup: 2, waitingOfOneGroup: Infinity };
/** Longest time in milliseconds for one poll, from when it is its turn. */
const LONGEST_POLL_MILLISECONDS = 30_000;

export type PollSettings = Pick<ConfigView, 'insecureRegistries' | 'hasFeatureGate' | 'importProxy' | 'namespace'>;

export interface SourcePollerOptions {
  readonly client: Pick<KubeClient, 'get'>;
  readonly config: PollSettings;
  /** Networks that are not connected to; by default those of the machine itself. */
  readonly refusedNetworks?: AskingSettings['refusedNetworks'];
  /** Longest time for one poll in milliseconds. */
  readonly longestPoll?: number;
}

/** Polls the servers of sources. */
export class SourcePoller implements ImagePoller {
  readonly #options: SourcePollerOptions;
  readonly #limit = new FairLimit(LIMITS);
  #versions: Promise<ImageVersions> | undefined;

  constructor(options: SourcePollerOptions) {
    this.#options = options;
  }

  async poll(
    namespace: string,
    source: DataVolumeSource,
    known: KnownVersion | undefined,
    signal: AbortSignal,
  ): Promise<ImageVersion> {
    const { client, config } = this.#options;
    try {
      const imageStream = source.registry?.imageStream;
      if (imageStream !== undefined) return await imageStreamVersion(client, namespace, imageStream, known, signal);
      const image = askedImage(source, config);
      const turn = this.#limit.run(hostOf(image), () => this.#ask(namespace, image, known, signal));
      const found = await unlessAborted(turn, signal);
      if (found === undefined) throw new TypeError('polls are not limited by how many wait');
      return found;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof WaitingError || error instanceof ApiError || error instanceof ConnectionError) throw error;
      throw advised(asTransferError(error), advice);
    }
  }

  async #ask(
    namespace: string,
    { request, needed }: AskedImage,
    known: KnownVersion | undefined,
    signal: AbortSignal,
  ): Promise<ImageVersion> {
    signal.throwIfAborted();
    const { client, longestPoll = LONGEST_POLL_MILLISECONDS } = this.#options;
    const overdue = AbortSignal.timeout(longestPoll);
    const ends = AbortSignal.any([signal, overdue]);
    try {
      const source = imageSourceOf(request, await readNeeded(client, namespace, needed, ends));
      this.#versions ??= loadVersions();
      const versions = await this.#versions;
      const found = await versions.find(source, await this.#settings(ends), known, ends);
      return { ...found, unchanged: found.digest === known?.digest };
    } catch (error) {
      if (!overdue.aborted || signal.aborted) throw error;
      throw new TransferError(
        'SourceStalled',
        `${hostOf({ request })} has not told within ${longestPoll / 1000} s which version it has of ${request.type === 'registry' ? 'the image' : 'the file'}: ` +
          'see whether the server or the network is overloaded',
      );
    }
  }

  async #settings(signal: AbortSignal): Promise<AskingSettings> {
    const { client, config, refusedNetworks = ['loopback', 'link-local'] } = this.#options;
    const { HTTPProxy: http, HTTPSProxy: https, noProxy: none, trustedCAProxy } = config.importProxy;
    const { namespace } = config;
    return {
      proxies: { http: http || undefined, https: https || undefined, none: none || undefined },
      proxyCertificates: trustedCAProxy
        ? await readCertificates(client, { namespace, name: trustedCAProxy }, signal)
        : [],
      followsInternalRedirects: config.hasFeatureGate('ImportFollowsInternalRedirects'),
      refusedNetworks,
    };
  }
}

/** Loads what speaks to servers, which controllers without polls do not need. */
async function loadVersions(): Promise<ImageVersions> {
  const { ImageVersions: Versions } = await import('../../source/versions/image-versions.ts');
  return new Versions();
}

/** Returns the host that a request leads to, for the limit and messages; empty where its URL is invalid. */
function hostOf({ request: { url } }: Pick<AskedImage, 'request'>): string {
  return URL.parse(url.replace(/^(docker|gs):\/\//, 'https://'))?.host ?? '';
}
