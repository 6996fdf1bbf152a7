import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { JSONWebKeySet } from 'jose';
import type { Logger } from '../../base/logger.ts';
import { type ConfigMap, configMaps, type Secret, secrets } from '../../kube/builtin-resources.ts';
import { toError } from '../../kube/errors.ts';
import type { Informer } from '../../kube/informer.ts';
import type { Manager } from '../../kube/manager.ts';
import type { KubeObject, Resource } from '../../kube/resource.ts';
import {
  BUNDLE_KEY,
  bundleName,
  roleCertificates,
  TOKEN_VERIFICATION_KEY,
  TOKEN_VERIFICATION_SECRET,
  uploadClientCertificate,
} from '../../protocol/installation.ts';
import { keyPairIn, requiredText } from '../secret-content.ts';
import { TokenVerifier } from './token-verifier.ts';

/** TLS of both ends: AES comes first, for which processors have instructions. */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
].join(':');

/**
 * The certificates and keys of the upload proxy, as the controllers make and rotate them. Each is in use as soon as the
 * watch of its object has told of it; one that cannot be used is logged, and the one before it stays in use.
 */
export class KeyMaterial {
  readonly #logger: Logger;
  readonly #serverCertificate: Informer<Secret>;
  readonly #clientCertificate: Informer<Secret>;
  readonly #tokenKeys: Informer<Secret>;
  readonly #authorities: Informer<ConfigMap>;
  readonly #listeners: ((certificate: SecureContextOptions) => void)[] = [];
  #server: SecureContextOptions | undefined;
  #client: SecureContext | undefined;
  #tokens: TokenVerifier | undefined;

  /**
   * @param manager that runs the watches
   * @param options.namespace that of the installation
   */
  constructor(manager: Pick<Manager, 'informer'>, options: { namespace: string; logger: Logger }) {
    const { namespace, logger } = options;
    const watched = <T extends KubeObject>(resource: Resource<T>, name: string): Informer<T> =>
      manager.informer(resource, { namespace, fieldSelector: `metadata.name=${name}` });
    this.#logger = logger;
    this.#serverCertificate = watched(secrets, roleCertificates.uploadproxy.secret);
    this.#clientCertificate = watched(secrets, uploadClientCertificate.secret);
    this.#tokenKeys = watched(secrets, TOKEN_VERIFICATION_SECRET);
    this.#authorities = watched(configMaps, bundleName('uploadserver'));
    this.#serverCertificate.onChange(() => this.#use('server certificate', () => this.#readServer()));
    this.#clientCertificate.onChange(() => this.#use('client certificate', () => this.#readClient()));
    this.#authorities.onChange(() => this.#use('authorities of upload servers', () => this.#readClient()));
    this.#tokenKeys.onChange(() => this.#use('token keys', () => this.#readTokens()));
  }

  /** What is still missing, if anything. */
  get problem(): string | undefined {
    const missing = [
      this.#server ? [] : [`Secret ${roleCertificates.uploadproxy.secret}`],
      this.#client ? [] : [`Secret ${uploadClientCertificate.secret} or ConfigMap ${bundleName('uploadserver')}`],
      this.#tokens ? [] : [`Secret ${TOKEN_VERIFICATION_SECRET}`],
    ].flat();
    return missing.length > 0 ? `waiting for ${missing.join(', ')}, which the controllers make` : undefined;
  }

  /** What upload servers are connected to with; undefined until it is there. */
  get client(): SecureContext | undefined {
    return this.#client;
  }

  /** What tokens are verified by; undefined until it is there. */
  get tokens(): TokenVerifier | undefined {
    return this.#tokens;
  }

  /** Calls the listener with the certificate and key of the server, whenever there are others. */
  onServerCertificate(listener: (certificate: SecureContextOptions) => void): void {
    this.#listeners.push(listener);
    if (this.#server) listener(this.#server);
  }

  #readServer(): boolean {
    const [secret] = this.#serverCertificate.list();
    if (!secret) return false;
    const options = { ciphers, minVersion: 'TLSv1.2', ...keyPairIn(secret) } as const;
    // A certificate that does not belong to the key is noticed here, rather than by the server.
    createSecureContext(options);
    this.#server = options;
    for (const listener of this.#listeners) listener(options);
    return true;
  }

  #readClient(): boolean {
    const [secret] = this.#clientCertificate.list();
    const ca = this.#authorities.list()[0]?.data?.[BUNDLE_KEY];
    if (!secret || !ca) return false;
    this.#client = createSecureContext({ ciphers, minVersion: 'TLSv1.3', ca, ...keyPairIn(secret) });
    return true;
  }

  #readTokens(): boolean {
    const [secret] = this.#tokenKeys.list();
    if (!secret) return false;
    this.#tokens = new TokenVerifier(JSON.parse(requiredText(secret, TOKEN_VERIFICATION_KEY)) as JSONWebKeySet);
    return true;
  }

  /** @param read returns whether it is there */
  #use(what: string, read: () => boolean): void {
    try {
      if (read()) this.#logger.info(`using the ${what}`, { step: 'keys' });
    } catch (error) {
      this.#logger.error(`the new ${what} cannot be used`, { step: 'keys', error: toError(error).message });
    }
  }
}
