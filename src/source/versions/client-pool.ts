import { createHash } from 'node:crypto';
import { HttpClient, type HttpClientOptions } from '../http/client.ts';
import { SharedContexts } from './shared-contexts.ts';

/** Bytes of each of the two buffers of a connection: it receives heads and small documents. */
const RECEIVE_BUFFER = 16 * 1024;
/** Longest time in milliseconds for which a client stays open that nobody uses; its connections are idle for less. */
const LONGEST_UNUSED_MILLISECONDS = 5_000;

/**
 * No lowest rate, which is that of all requests of a client together: a slow server must not end what is asked of
 * another one.
 */
const NO_LOWEST_RATE = { bytes: 1, within: 2 ** 31 - 1 };

interface Pooled {
  readonly client: HttpClient;
  users: number;
  /** Closes the client, once nobody has used it for long enough. */
  closing?: NodeJS.Timeout;
}

export interface PooledOptions extends Pick<
  HttpClientOptions,
  'insecureHosts' | 'insecureSkipVerify' | 'proxies' | 'followsInternalRedirects' | 'refusedNetworks'
> {
  /** Texts with PEM certificates that are trusted besides the system's. */
  readonly certificates: readonly string[];
}

/**
 * Shares clients, and thereby their connections, among those who ask with the same settings, and what they trust, which
 * takes longer to parse than a request, for longer.
 */
export class ClientPool {
  readonly #clients = new Map<string, Pooled>();
  readonly #trusted = new SharedContexts();
  readonly #longestUnused: number;

  /** @param longestUnused in milliseconds */
  constructor(longestUnused = LONGEST_UNUSED_MILLISECONDS) {
    this.#longestUnused = longestUnused;
  }

  /** Does some work with a client of these settings. */
  async use<Result>(options: PooledOptions, work: (client: HttpClient) => Promise<Result>): Promise<Result> {
    const key = createHash('sha256').update(JSON.stringify(options)).digest('hex');
    const pooled = this.#clients.get(key) ?? { client: this.#create(options), users: 0 };
    this.#clients.set(key, pooled);
    clearTimeout(pooled.closing);
    pooled.users += 1;
    try {
      return await work(pooled.client);
    } finally {
      pooled.users -= 1;
      if (pooled.users === 0) this.#closeLater(key, pooled);
    }
  }

  #create({ certificates, ...options }: PooledOptions): HttpClient {
    return new HttpClient({
      ...options,
      sharedTrust: () => this.#trusted.of(certificates),
      receiveBuffer: RECEIVE_BUFFER,
      lowestRate: NO_LOWEST_RATE,
    });
  }

  #closeLater(key: string, pooled: Pooled): void {
    pooled.closing = setTimeout(() => {
      this.#clients.delete(key);
      void pooled.client.close();
    }, this.#longestUnused).unref();
  }
}
