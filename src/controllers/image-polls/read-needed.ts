import type { NeededObjects } from '../../api/sources/common/declaration.ts';
import { TransferError } from '../../base/errors.ts';
import { configMaps, type Secret, secrets } from '../../kube/builtin-resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isForbidden, WaitingError } from '../../kube/errors.ts';
import type { ObjectKey } from '../../kube/key.ts';
import type { KubeObject, Resource } from '../../kube/resource.ts';
import { secretText } from '../../kube/secret-text.ts';
import { describeMissing } from '../../protocol/missing-dependency.ts';
import {
  DOCKER_CONFIG_KEY,
  loginOf,
  PASSWORD_KEY,
  secretValue,
  SERVICE_ACCOUNT_KEY,
  USER_KEY,
} from '../../protocol/source-secrets.ts';
import { notAllowed } from './not-allowed.ts';

/** What the objects of a source hold. */
export interface NeededValues {
  readonly credentials: ReturnType<typeof loginOf>;
  readonly serviceAccount: string | undefined;
  readonly dockerConfig: string | undefined;
  /** Header lines. */
  readonly secretHeaders: readonly string[];
  /** Texts with PEM certificates. */
  readonly certificates: readonly string[];
}

/**
 * Reads the Secrets and the ConfigMap that a source names, when they are needed: they are neither watched nor kept.
 *
 * @throws WaitingError SecretNotFound, ConfigMapNotFound, or ErrForbidden where the controllers have not been given the
 *   right
 */
export async function readNeeded(
  client: Pick<KubeClient, 'get'>,
  namespace: string,
  { credentials, secretHeaders = [], certificates }: NeededObjects,
  signal: AbortSignal,
): Promise<NeededValues> {
  const secretNamed = async (name: string, keys: readonly (readonly string[])[]): Promise<Secret> => {
    const secret = await read(client, secrets, { namespace, name }, signal);
    requireKeys({ kind: 'Secret', namespace, name, keys }, secret?.data);
    return secret ?? {};
  };
  const login = credentials?.secretName ? await secretNamed(credentials.secretName, credentials.keys) : undefined;
  const valueOf = (key: string): string | undefined => {
    const text = secretText(login, key);
    return text === undefined ? undefined : secretValue(text);
  };
  const headers: string[] = [];
  for (const name of secretHeaders.filter((each) => each !== '')) {
    const secret = await secretNamed(name, []);
    const keys = Object.keys(secret.data ?? {}).sort();
    headers.push(...keys.map((key) => secretText(secret, key) ?? ''));
  }
  return {
    credentials: loginOf(valueOf(USER_KEY), valueOf(PASSWORD_KEY)),
    serviceAccount: valueOf(SERVICE_ACCOUNT_KEY),
    dockerConfig: valueOf(DOCKER_CONFIG_KEY),
    secretHeaders: headers,
    certificates: certificates ? await readCertificates(client, { namespace, name: certificates }, signal) : [],
  };
}

/**
 * Reads the texts in a ConfigMap.
 *
 * @throws WaitingError ConfigMapNotFound, ErrForbidden; TransferError InvalidRequest where it has no certificate
 */
export async function readCertificates(
  client: Pick<KubeClient, 'get'>,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<string[]> {
  const configMap = await read(client, configMaps, key, signal);
  requireKeys({ kind: 'ConfigMap', ...key, keys: [] }, configMap?.data);
  const texts = Object.values(configMap?.data ?? {});
  if (texts.some((text) => text.includes('-----BEGIN CERTIFICATE-----'))) return texts;
  throw new TransferError(
    'InvalidRequest',
    `there is no PEM certificate in ConfigMap "${key.name}" in namespace "${key.namespace}", whose certificates are to be trusted`,
  );
}

async function read<T extends KubeObject>(
  client: Pick<KubeClient, 'get'>,
  resource: Resource<T>,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<T | undefined> {
  try {
    return await client.get(resource, key, { signal });
  } catch (error) {
    throw isForbidden(error) ? notAllowed(resource, key, error) : error;
  }
}

function requireKeys(object: Parameters<typeof describeMissing>[0], data: object = {}): void {
  const missing = describeMissing(object, Object.keys(data));
  if (missing === undefined) return;
  const reason = object.kind === 'Secret' ? 'SecretNotFound' : 'ConfigMapNotFound';
  throw new WaitingError(reason, `${missing}, and the image is looked for again`);
}
