import { AwsV4Signer } from 'aws4fetch';
import type { AskedOfObject } from '../http/ask-for-object.ts';
import type { HttpClient, HttpResponse } from '../http/client.ts';
import type { Referrer } from '../http/redirect.ts';
import { isRefused, readRefusal, refusalFailure } from './refusal.ts';

export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  /** Token of temporary credentials. */
  sessionToken?: string | undefined;
}

/** The region for which most servers other than Amazon's expect signatures. */
const DEFAULT_REGION = 'us-east-1';

/** Requests an object of an S3 server, signed with Signature Version 4 where there are credentials. */
export class S3Requests {
  #url: URL;
  #region: string | undefined;
  /** The response that named the endpoint, where the user did not. */
  #referrer: Referrer | undefined;
  readonly #credentials: S3Credentials | undefined;

  /**
   * @param url of the object, in path style or virtual-host style
   * @param region of the bucket; by default determined from the URL or the server
   */
  constructor(url: URL, credentials: S3Credentials | undefined, region?: string) {
    this.#url = new URL(url);
    // A plus sign is literal in a key, but some servers decode it as a space.
    this.#url.pathname = url.pathname.replaceAll('+', '%2B');
    this.#region = region;
    this.#credentials = credentials;
  }

  /** @throws TransferError where the server does not serve the object to these credentials */
  async ask(client: HttpClient, asked: AskedOfObject): Promise<HttpResponse> {
    let response = await this.#send(client, asked);
    if (!isRefused(response)) return response;
    let refusal = await readRefusal(response);
    if (refusal.region !== undefined && this.#moveTo(refusal.region)) {
      if (this.#url.origin !== refusal.response.url.origin) this.#referrer = refusal.response;
      response = await this.#send(client, { ...asked, place: undefined });
      if (!isRefused(response)) return response;
      refusal = await readRefusal(response);
    }
    throw refusalFailure(refusal, { anonymous: this.#credentials === undefined, remedy: 'give-s3-credentials' });
  }

  async #send(client: HttpClient, asked: AskedOfObject): Promise<HttpResponse> {
    const confidentialHeaders = await this.#signature(asked.method ?? 'GET');
    return client.request(this.#url, { ...asked, confidentialHeaders, referrer: this.#referrer });
  }

  async #signature(method: string): Promise<Record<string, string>> {
    if (this.#credentials === undefined) return {};
    const { accessKeyId, secretAccessKey, sessionToken } = this.#credentials;
    const signer = new AwsV4Signer({
      url: this.#url.href,
      method,
      service: 's3',
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      ...(this.#region === undefined ? {} : { region: this.#region }),
    });
    this.#region = signer.region || DEFAULT_REGION;
    const signed = await signer.sign();
    return Object.fromEntries([...signed.headers].filter(([name]) => name !== 'host'));
  }

  /** Changes the region. Each of Amazon's endpoints is for one region; other servers only expect another signature. */
  #moveTo(region: string): boolean {
    if (region === this.#region || !/^[a-z0-9-]{1,64}$/.test(region)) return false;
    this.#region = region;
    this.#url.hostname = this.#url.hostname.replace(
      /(^|\.)s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com$/,
      `$1s3.${region}.amazonaws.com`,
    );
    return true;
  }
}
