import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../base/errors.ts';
import type { Login } from '../base/login.ts';
import {
  DOCKER_CONFIG_KEY,
  loginOf,
  PASSWORD_KEY,
  secretValue,
  SERVICE_ACCOUNT_KEY,
  USER_KEY,
} from '../protocol/source-secrets.ts';

/** Reads a mounted Secret with `accessKeyId` and `secretKey`; undefined where there is none. */
export async function readCredentials(directory: string): Promise<Login | undefined> {
  const [user, password] = await Promise.all([
    readIfThere(join(directory, USER_KEY)),
    readIfThere(join(directory, PASSWORD_KEY)),
  ]);
  return loginOf(user, password);
}

/** Reads the header lines of the Secrets mounted below one folder; each key of each Secret is one line. */
export async function readSecretHeaders(directory: string): Promise<string[]> {
  const lines: string[] = [];
  for (const secret of await namesIn(directory)) {
    for (const key of await namesIn(join(directory, secret))) {
      lines.push(await readFile(join(directory, secret, key), 'utf8'));
    }
  }
  return lines;
}

/** Reads the credentials.json of a mounted Secret for Google Cloud; undefined where there is none. */
export function readServiceAccount(directory: string): Promise<string | undefined> {
  return readIfThere(join(directory, SERVICE_ACCOUNT_KEY));
}

/** Reads a mounted Secret of type kubernetes.io/dockerconfigjson; undefined where there is none. */
export function readDockerConfig(directory: string): Promise<string | undefined> {
  return readIfThere(join(directory, DOCKER_CONFIG_KEY));
}

/** Returns those of the folders that are mounted. */
export async function mounted(directories: readonly string[]): Promise<string[]> {
  const contents = await Promise.all(directories.map(namesIn));
  return directories.filter((_, index) => (contents[index]?.length ?? 0) > 0);
}

/**
 * Lists the keys of a mounted Secret or ConfigMap. The volume keeps its versions in folders that begin with two dots,
 * which are left out.
 */
export async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => !name.startsWith('..')).sort();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return secretValue(await readFile(path, 'utf8'));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
