import { constants } from 'node:crypto';
import type { Logger } from '../../base/logger.ts';
import { type ConfigMap, configMaps, type Secret, secrets } from '../../kube/builtin-resources.ts';
import type { Informer } from '../../kube/informer.ts';
import { KeyWatch } from '../../kube/key-watch.ts';
import type { Manager } from '../../kube/manager.ts';
import { keyPairIn } from '../../kube/secret-content.ts';
import { secretText } from '../../kube/secret-text.ts';
import { roleCertificates, TOKEN_SIGNING_KEY, TOKEN_SIGNING_SECRET } from '../../protocol/installation.ts';
import { tlsSettings } from '../../server/tls-settings.ts';
import { ServerContext } from '../server-context.ts';
import { AUTHENTICATION_CONFIG_MAP, FrontProxy } from './front-proxy.ts';
import { TokenSigner } from './token-signer.ts';

const CERTIFICATE_SECRET = roleCertificates.apiserver.secret;

/** The certificates and keys of the API server of uploads, as the controllers make and rotate them. */
export class KeyMaterial {
  /** The server's certificate, and the authority of its clients. */
  readonly server = new ServerContext();
  readonly #certificate: Informer<Secret>;
  readonly #signingKey: Informer<Secret>;
  readonly #authentication: Informer<ConfigMap>;
  #frontProxy: FrontProxy | undefined;
  #signer: TokenSigner | undefined;

  /**
   * @param manager that runs the watches
   * @param options.namespace that of the installation
   */
  constructor(manager: Pick<Manager, 'informer'>, { namespace, logger }: { namespace: string; logger: Logger }) {
    const watch = new KeyWatch(manager, logger);
    this.#certificate = watch.object(secrets, { namespace, name: CERTIFICATE_SECRET });
    this.#signingKey = watch.object(secrets, { namespace, name: TOKEN_SIGNING_SECRET });
    this.#authentication = watch.object(configMaps, AUTHENTICATION_CONFIG_MAP);
    watch.use('server certificate', this.#certificate, () => this.#readContext());
    watch.use("API server's authentication", this.#authentication, () => this.#readFrontProxy());
    watch.use('signing key', this.#signingKey, async () => this.#readSigner());
  }

  /** What is still missing, if anything. */
  get problem(): string | undefined {
    const { namespace, name } = AUTHENTICATION_CONFIG_MAP;
    const missing = [
      this.server.isThere ? [] : [`Secret ${CERTIFICATE_SECRET}`],
      this.#signer ? [] : [`Secret ${TOKEN_SIGNING_SECRET}`],
      this.#frontProxy ? [] : [`ConfigMap ${namespace}/${name}`],
    ].flat();
    return missing.length > 0 ? `waiting for ${missing.join(', ')}` : undefined;
  }

  /** Undefined until the API server has said how it passes requests on. */
  get frontProxy(): FrontProxy | undefined {
    return this.#frontProxy;
  }

  /** Undefined until the controllers have made the key. */
  get signer(): TokenSigner | undefined {
    return this.#signer;
  }

  #readFrontProxy(): boolean {
    const [configMap] = this.#authentication.list();
    if (!configMap) return false;
    this.#frontProxy = new FrontProxy(configMap);
    this.#readContext();
    return true;
  }

  #readContext(): boolean {
    const [secret] = this.#certificate.list();
    if (!secret) return false;
    // Without an authority, Node would trust those of the machine.
    const ca = this.#frontProxy?.authority ?? [];
    const secureOptions = constants.SSL_OP_NO_TICKET;
    this.server.replace({ ...tlsSettings({ minVersion: 'TLSv1.2' }), ca, secureOptions, ...keyPairIn(secret) });
    return true;
  }

  async #readSigner(): Promise<boolean> {
    const [secret] = this.#signingKey.list();
    const key = secretText(secret, TOKEN_SIGNING_KEY);
    if (key !== undefined) this.#signer = await TokenSigner.of(key);
    return key !== undefined;
  }
}
