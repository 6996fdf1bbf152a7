import { createSecureContext, type SecureContext } from 'node:tls';
import type { JSONWebKeySet } from 'jose';
import type { Logger } from '../../base/logger.ts';
import { type ConfigMap, configMaps, type Secret, secrets } from '../../kube/builtin-resources.ts';
import type { Informer } from '../../kube/informer.ts';
import { KeyWatch } from '../../kube/key-watch.ts';
import type { Manager } from '../../kube/manager.ts';
import { keyPairIn, requiredText } from '../../kube/secret-content.ts';
import {
  BUNDLE_KEY,
  bundleName,
  roleCertificates,
  TOKEN_VERIFICATION_KEY,
  TOKEN_VERIFICATION_SECRET,
  uploadClientCertificate,
} from '../../protocol/installation.ts';
import { tlsSettings } from '../../server/tls-settings.ts';
import { ServerContext } from '../server-context.ts';
import { TokenVerifier } from './token-verifier.ts';

/** Ciphers of both ends, unless others are asked for: AES comes first, for which processors have instructions. */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
];

/** The certificates and keys of the upload proxy, as the controllers make and rotate them. */
export class KeyMaterial {
  /** The certificate that clients see. */
  readonly server = new ServerContext();
  readonly #serverCertificate: Informer<Secret>;
  readonly #clientCertificate: Informer<Secret>;
  readonly #tokenKeys: Informer<Secret>;
  readonly #authorities: Informer<ConfigMap>;
  #client: SecureContext | undefined;
  #tokens: TokenVerifier | undefined;

  /**
   * @param manager that runs the watches
   * @param options.namespace that of the installation
   */
  constructor(manager: Pick<Manager, 'informer'>, options: { namespace: string; logger: Logger }) {
    const { namespace, logger } = options;
    const watch = new KeyWatch(manager, logger);
    const secret = (name: string) => watch.object(secrets, { namespace, name });
    this.#serverCertificate = secret(roleCertificates.uploadproxy.secret);
    this.#clientCertificate = secret(uploadClientCertificate.secret);
    this.#tokenKeys = secret(TOKEN_VERIFICATION_SECRET);
    this.#authorities = watch.object(configMaps, { namespace, name: bundleName('uploadserver') });
    watch.use('server certificate', this.#serverCertificate, () => this.#readServer());
    watch.use('client certificate', this.#clientCertificate, () => this.#readClient());
    watch.use('authorities of upload servers', this.#authorities, () => this.#readClient());
    watch.use('token keys', this.#tokenKeys, () => this.#readTokens());
  }

  /** What is still missing, if anything. */
  get problem(): string | undefined {
    const missing = [
      this.server.isThere ? [] : [`Secret ${roleCertificates.uploadproxy.secret}`],
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

  #readServer(): boolean {
    const [secret] = this.#serverCertificate.list();
    if (!secret) return false;
    this.server.replace({ ...tlsSettings({ ciphers, minVersion: 'TLSv1.2' }), ...keyPairIn(secret) });
    return true;
  }

  #readClient(): boolean {
    const [secret] = this.#clientCertificate.list();
    const ca = this.#authorities.list()[0]?.data?.[BUNDLE_KEY];
    if (!secret || !ca) return false;
    this.#client = createSecureContext({
      ciphers: ciphers.join(':'),
      minVersion: 'TLSv1.3',
      ca,
      ...keyPairIn(secret),
    });
    return true;
  }

  #readTokens(): boolean {
    const [secret] = this.#tokenKeys.list();
    if (!secret) return false;
    this.#tokens = new TokenVerifier(JSON.parse(requiredText(secret, TOKEN_VERIFICATION_KEY)) as JSONWebKeySet);
    return true;
  }
}
