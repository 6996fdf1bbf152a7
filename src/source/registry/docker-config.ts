import * as z from 'zod';
import { TransferError } from '../../base/errors.ts';
import type { Credentials } from './authorization.ts';
import type { ImageReference } from './reference.ts';

const entry = z.object({
  username: z.string().optional(),
  password: z.string().optional(),
  /** Base64 of user:password. */
  auth: z.string().optional(),
});
const dockerConfig = z.object({ auths: z.record(z.string(), entry).default({}) });

/** The name of Docker Hub in stored credentials is older than that of its registry. */
const hubNames = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/**
 * Returns the credentials for an image from the format of `docker login`, which a Secret of type
 * kubernetes.io/dockerconfigjson has, too. The entry with the longest matching path wins.
 *
 * @throws TransferError InvalidRequest where the text does not have that format
 */
export function credentialsFor({ host, repository }: ImageReference, text: string): Credentials | undefined {
  const parsed = dockerConfig.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new TransferError('InvalidRequest', 'the registry credentials are not a Docker configuration with "auths"');
  }
  const wanted = `${canonicalHost(host)}/${repository}/`;
  const matches = Object.entries(parsed.data.auths)
    .map(([name, value]) => ({ prefix: `${canonicalName(name)}/`, value }))
    .filter(({ prefix }) => wanted.startsWith(prefix))
    .sort((one, other) => other.prefix.length - one.prefix.length);
  const [best] = matches;
  return best === undefined ? undefined : credentialsOf(best.value);
}

function credentialsOf({ username, password, auth }: z.infer<typeof entry>): Credentials | undefined {
  if (username !== undefined && password !== undefined) return { user: username, password };
  const [, user, secret] = /^([^:]*):(.*)$/s.exec(Buffer.from(auth ?? '', 'base64').toString()) ?? [];
  return user === undefined || secret === undefined ? undefined : { user, password: secret };
}

/** Normalises a name, which is a host, a host with a path, or the URL of a registry's API. */
function canonicalName(name: string): string {
  const [host = '', ...path] = name
    .replace(/^https?:\/\//, '')
    .replace(/\/v[12]\/?$/, '')
    .split('/');
  return [canonicalHost(host), ...path.filter((part) => part !== '')].join('/');
}

function canonicalHost(host: string): string {
  return hubNames.has(host) ? 'docker.io' : host;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
