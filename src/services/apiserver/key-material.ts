import { constants } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Logger } from '../../base/logger.ts';
import { type ConfigMap, configMaps, type Secret, secrets } from '../../kube/builtin-resources.ts';
import { toError } from '../../kube/errors.ts';
import type { Informer } from '../../kube/informer.ts';
import type { Manager } from '../../kube/manager.ts';
import { secretText } from '../../kube/secret-text.ts';
import { roleCertificates, TOKEN_SIGNING_KEY, TOKEN_SIGNING_SECRET } from '../../protocol/installation.ts';
import { keyPairIn } from '../secret-content.ts';
import { AUTHENTICATION_CONFIG_MAP, FrontProxy } from './front-proxy.ts';
import { TokenSigner } from './token-signer.ts';

const CERTIFICATE_SECRET = roleCertificates.apiserver.secret;

/**
 * The certificates and keys of the API server of uploads. Each is in use as soon as the watch of its object has told of
 * it; one that cannot be used is logged, and the one before it stays in use.
 */
export class KeyMaterial {
  readonly #logger: Logger;
  readonly #certificate: Informer<Secret>;
  readonly #signingKey: Informer<Secret>;
  readonly #authentication: Informer<ConfigMap>;
  readonly #listeners: ((context: SecureContextOptions) => void)[] = [];
  #context: SecureContextOptions | undefined;
  #frontProxy: FrontProxy | undefined;
  #signer: TokenSigner | undefined;

  /**
   * @param manager that runs the watches
   * @param options.namespace that of the installation
   */
  constructor(manager: Pick<Manager, 'informer'>, { namespace, logger }: { namespace: string; logger: Logger }) {
    const secret = (name: string) => manager.informer(secrets, { namespace, fieldSelector: `metadata.name=${name}` });
    this.#logger = logger;
    this.#certificate = secret(CERTIFICATE_SECRET);
    this.#signingKey = secret(TOKEN_SIGNING_SECRET);
    this.#authentication = manager.informer(configMaps, {
      namespace: AUTHENTICATION_CONFIG_MAP.namespace,
      fieldSelector: `metadata.name=${AUTHENTICATION_CONFIG_MAP.name}`,
    });
    this.#certificate.onChange(() => this.#use('server certificate', () => this.#readContext()));
    this.#authentication.onChange(() =>
      this.#use("API server's authentication", () => {
        this.#readFrontProxy();
        this.#readContext();
      }),
    );
    this.#signingKey.onChange(() => this.#use('signing key', async () => this.#readSigner()));
  }

  /** What is still missing, if anything. */
  get problem(): string | undefined {
    const { namespace, name } = AUTHENTICATION_CONFIG_MAP;
    const missing = [
      this.#context ? [] : [`Secret ${CERTIFICATE_SECRET}`],
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

  /** Calls the listener with the server's certificate and the authority of its clients, whenever there are others. */
  onContext(listener: (context: SecureContextOptions) => void): void {
    this.#listeners.push(listener);
    if (this.#context) listener(this.#context);
  }

  #readFrontProxy(): void {
    const [configMap] = this.#authentication.list();
    if (configMap) this.#frontProxy = new FrontProxy(configMap);
  }

  #readContext(): void {
    const [secret] = this.#certificate.list();
    if (!secret) return;
    // Without an authority, Node would trust those of the machine.
    const ca = this.#frontProxy?.authority ?? [];
    const context = {
      minVersion: 'TLSv1.2',
      ca,
      secureOptions: constants.SSL_OP_NO_TICKET,
      ...keyPairIn(secret),
    } as const;
    // A certificate that does not belong to the key is noticed here, rather than by the server.
    createSecureContext(context);
    this.#context = context;
    for (const listener of this.#listeners) listener(context);
  }

  async #readSigner(): Promise<void> {
    const [secret] = this.#signingKey.list();
    const key = secretText(secret, TOKEN_SIGNING_KEY);
    if (key !== undefined) this.#signer = await TokenSigner.of(key);
  }

  #use(what: string, read: () => void | Promise<void>): void {
    const failed = (error: unknown) =>
      this.#logger.error(`the new ${what} cannot be used`, { step: 'keys', error: toError(error).message });
    try {
      Promise.resolve(read()).then(() => this.#logger.info(`using the ${what}`, { step: 'keys' }), failed);
    } catch (error) {
      failed(error);
    }
  }
}
