import type { ImportProxy } from '../../api/cdi-config.ts';

/** Reports whether the URL of a proxy contains a user or a password. */
export function hasLogin(url: string): boolean {
  return url.includes('@');
}

/** Returns the proxies without their logins, for readers who may not know them. */
export function withoutLogins(proxy: ImportProxy): ImportProxy {
  const { HTTPProxy, HTTPSProxy } = proxy;
  return {
    ...proxy,
    ...(HTTPProxy === undefined ? {} : { HTTPProxy: withoutLogin(HTTPProxy) }),
    ...(HTTPSProxy === undefined ? {} : { HTTPSProxy: withoutLogin(HTTPSProxy) }),
  };
}

/**
 * Removes the login up to the last @, without parsing the URL: an invalid one, such as with a slash in the password,
 * must not be shown either.
 */
function withoutLogin(url: string): string {
  if (!hasLogin(url)) return url;
  const [scheme = ''] = /^https?:\/\//i.exec(url) ?? [];
  return scheme + url.slice(url.lastIndexOf('@') + 1);
}
