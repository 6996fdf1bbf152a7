import type { Login } from '../base/login.ts';

/** Keys of the Secrets that sources name in secretRef. */
export const USER_KEY = 'accessKeyId';
export const PASSWORD_KEY = 'secretKey';
/** A service account of Google Cloud. */
export const SERVICE_ACCOUNT_KEY = 'credentials.json';
/** The key of a Secret of type kubernetes.io/dockerconfigjson. */
export const DOCKER_CONFIG_KEY = '.dockerconfigjson';

/** Returns what a key of such a Secret says: hand-made Secrets often end with an unintended line break. */
export function secretValue(text: string): string {
  return text.replace(/\r?\n$/, '');
}

/** Returns the login in a Secret by the values of its two keys; undefined where it has neither. */
export function loginOf(user: string | undefined, password: string | undefined): Login | undefined {
  if (user === undefined && password === undefined) return undefined;
  return { user: user ?? '', password: password ?? '' };
}
