import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import * as z from 'zod';
import type { ConfigMap } from '../../kube/builtin-resources.ts';
import { StatusError } from './status-error.ts';

/** A user, as the API server has authenticated it. */
export interface User {
  readonly name: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** The ConfigMap in which the API server says how it passes requests on. */
export const AUTHENTICATION_CONFIG_MAP = { namespace: 'kube-system', name: 'extension-apiserver-authentication' };

const CERTIFICATES = 'requestheader-client-ca-file';
const ALLOWED_NAMES = 'requestheader-allowed-names';
const USER_HEADERS = 'requestheader-username-headers';
const GROUP_HEADERS = 'requestheader-group-headers';
const EXTRA_HEADER_PREFIXES = 'requestheader-extra-headers-prefix';

const names = z.array(z.string());

/**
 * How the API server says whose request it passes on: it shows a certificate of an authority that signs for nobody
 * else, and then its headers are to be believed.
 */
export class FrontProxy {
  /** The authority, PEM. */
  readonly authority: string;
  readonly #allowedNames: readonly string[];
  readonly #userHeaders: readonly string[];
  readonly #groupHeaders: readonly string[];
  readonly #extraPrefixes: readonly string[];

  /** @throws Error where the ConfigMap lacks something, or something in it cannot be read */
  constructor({ data = {} }: ConfigMap) {
    const authority = data[CERTIFICATES];
    if (!authority) throw new Error(`${CERTIFICATES} is missing: is the aggregation layer of the cluster configured?`);
    const list = (key: string) => names.parse(JSON.parse(data[key] ?? '[]')).map((name) => name.toLowerCase());
    this.authority = authority;
    this.#allowedNames = names.parse(JSON.parse(data[ALLOWED_NAMES] ?? '[]'));
    this.#userHeaders = list(USER_HEADERS);
    this.#groupHeaders = list(GROUP_HEADERS);
    this.#extraPrefixes = list(EXTRA_HEADER_PREFIXES);
  }

  /**
   * Returns whose request it is.
   *
   * @throws StatusError Unauthorized where it does not come from the API server
   */
  userOf(request: IncomingMessage): User {
    if (!this.#isApiServer(request.socket as TLSSocket)) {
      throw new StatusError('Unauthorized', 'this API is reached through the API server of the cluster only');
    }
    const headers = request.headersDistinct;
    const [name] = this.#userHeaders.flatMap((header) => headers[header] ?? []);
    if (!name) throw new StatusError('Unauthorized', 'the API server does not say whose request it is');
    const extra: Record<string, readonly string[]> = {};
    for (const [header, values = []] of Object.entries(headers)) {
      const prefix = this.#extraPrefixes.find((each) => header.startsWith(each));
      if (prefix !== undefined) extra[unescaped(header.slice(prefix.length))] = values;
    }
    return { name, groups: this.#groupHeaders.flatMap((header) => headers[header] ?? []), extra };
  }

  /**
   * A resumed session counts for nothing: it shows no certificate in TLS 1.3, and there are versions of Node that take
   * one that began without a certificate for authorized.
   */
  #isApiServer(socket: TLSSocket): boolean {
    // Undefined where the client has shown no certificate.
    const subject = socket.getPeerCertificate().subject as { CN?: string } | undefined;
    if (!socket.authorized || socket.isSessionReused() || !subject) return false;
    return this.#allowedNames.length === 0 || this.#allowedNames.includes(String(subject.CN));
  }
}

/** Keys of extra fields are percent-encoded in the names of headers. */
function unescaped(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
