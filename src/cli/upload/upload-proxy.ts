import type { Readable } from 'node:stream';
import { checkServerIdentity, type ConnectionOptions, createSecureContext } from 'node:tls';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { TransferError } from '../../base/errors.ts';
import { printableText } from '../../base/printable.ts';
import { RECEIVED_HEADER, type UploadPath } from '../../server/upload-protocol.ts';
import { trustedCertificates } from '../../source/http/certificates.ts';
import { connectionFailure, proxyFailure } from '../../source/http/failures.ts';
import type { Proxies } from '../../source/http/proxies.ts';

const CONNECT_TIMEOUT_MILLISECONDS = 10_000;
/** The proxy holds a request for up to five minutes while the server behind it is made. */
const ANSWER_TIMEOUT_MILLISECONDS = 330_000;
/** It answers when everything was received, so that nothing is silent while the data is brought to the disk. */
const PATH = '/v1beta1/upload-async' satisfies `/v1beta1/${UploadPath}`;
const LONGEST_SENTENCE = 1000;
/** Name of the Service of the upload proxy, which its certificate has. */
const SERVICE = 'cdi-uploadproxy';
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

export interface UploadProxyOptions {
  readonly url: URL;
  /** PEM certificates to trust besides the system's: those that the cluster names. */
  readonly certificates: readonly string[];
  /** Files of such certificates, or folders of them. */
  readonly certificatesDirectories: readonly string[];
  readonly insecureSkipVerify: boolean;
  /** HTTP proxies on the way to the upload proxy. */
  readonly proxies: Proxies;
}

export interface UploadAnswer {
  readonly status: number;
  /** What the proxy says, for people. */
  readonly message: string;
  /** How much of the image has been received, from its first byte; 0 where the server does not say. */
  readonly received: number;
  /** Milliseconds to wait before the next request, where the proxy asks for that. */
  readonly retryAfter: number | undefined;
}

export interface UploadRequest {
  readonly headers: Readonly<Record<string, string>>;
  /** The bytes to send, which is closed in any case. */
  readonly body: Readable;
}

/** The upload proxy of a cluster. Whatever it answers is returned; methods throw TransferError where it does not. */
export class UploadProxy {
  readonly url: URL;
  readonly #dispatcher: Dispatcher;
  readonly #through: URL | undefined;

  private constructor(url: URL, dispatcher: Dispatcher, through: URL | undefined) {
    this.url = url;
    this.#dispatcher = dispatcher;
    this.#through = through;
  }

  /** @throws TransferError InvalidRequest where certificates cannot be read */
  static async create(options: UploadProxyOptions): Promise<UploadProxy> {
    const { url, certificates, certificatesDirectories, insecureSkipVerify, proxies } = options;
    const ca = [...(await trustedCertificates(certificatesDirectories)), ...certificates];
    const tls: ConnectionOptions = insecureSkipVerify
      ? { rejectUnauthorized: false }
      : {
          secureContext: createSecureContext({ ca }),
          ...(LOOPBACK.test(url.hostname) ? { checkServerIdentity: asForwarded } : {}),
        };
    const connect = { timeout: CONNECT_TIMEOUT_MILLISECONDS, allowH2: false, ...tls };
    // A body that nobody takes for a while is ordinary: the server writes slower than the network brings.
    const timeouts = { headersTimeout: ANSWER_TIMEOUT_MILLISECONDS, bodyTimeout: ANSWER_TIMEOUT_MILLISECONDS };
    const through = proxies.for(url);
    const dispatcher =
      through === undefined
        ? new Agent({ ...timeouts, connect, allowH2: false })
        : new ProxyAgent({ ...timeouts, uri: through.href, requestTls: connect, allowH2: false });
    return new UploadProxy(url, dispatcher, through);
  }

  /** Asks how much of the image is there. */
  head(token: string, signal: AbortSignal): Promise<UploadAnswer> {
    return this.#request('HEAD', token, { headers: {} }, signal);
  }

  post(token: string, request: UploadRequest, signal: AbortSignal): Promise<UploadAnswer> {
    return this.#request('POST', token, request, signal);
  }

  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }

  async #request(
    method: 'HEAD' | 'POST',
    token: string,
    { headers, body }: Pick<UploadRequest, 'headers'> & Partial<UploadRequest>,
    signal: AbortSignal,
  ): Promise<UploadAnswer> {
    try {
      const answer = await this.#dispatcher.request({
        origin: this.url.origin,
        path: this.url.pathname.replace(/\/$/, '') + PATH,
        method,
        headers: { ...headers, authorization: `Bearer ${token}`, 'user-agent': 'diskpress' },
        body: body ?? null,
        signal,
      });
      const text = await answer.body.text().catch(() => '');
      const retryAfter = Number(answer.headers['retry-after']);
      return {
        status: answer.statusCode,
        message: printableText(text.trim(), LONGEST_SENTENCE),
        received: Number(answer.headers[RECEIVED_HEADER] ?? 0) || 0,
        retryAfter: retryAfter > 0 ? retryAfter * 1000 : undefined,
      };
    } catch (error) {
      signal.throwIfAborted();
      const { url } = this;
      const failure =
        this.#through === undefined ? connectionFailure(error, url) : proxyFailure(error, url, this.#through);
      if (failure.code !== 'ConnectionLost') throw failure;
      throw new TransferError('ConnectionLost', `the connection to ${url.host} broke`, { cause: failure });
    } finally {
      body?.destroy();
    }
  }
}

/** Accepts the certificate of the proxy at a port of this machine that is forwarded to it, which that cannot name. */
const asForwarded: typeof checkServerIdentity = (host, certificate) =>
  checkServerIdentity(host, certificate) && checkServerIdentity(SERVICE, certificate);
