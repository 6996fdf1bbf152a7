import type { ImportProxy } from '../../api/cdi-config.ts';

/** Whether the URL of a proxy has a user or a password in it. */
export function hasLogin(url: string): boolean {
  return url.includes('@');
}

/** The proxies without their logins, for those who may not know them. */
export function withoutLogins(proxy: ImportProxy): ImportProxy {
  const { HTTPProxy, HTTPSProxy } = proxy;
  return {
    ...proxy,
    ...(HTTPProxy === undefined ? {} : { HTTPProxy: withoutLogin(HTTPProxy) }),
    ...(HTTPSProxy === undefined ? {} : { HTTPSProxy: withoutLogin(HTTPSProxy) }),
  };
}

/** By the last @, and not as a URL is parsed: what is none, such as a password with a slash in it, must not be shown either. */
function withoutLogin(url: string): string {
  if (!hasLogin(url)) return url;
  const [scheme = ''] = /^https?:\/\//i.exec(url) ?? [];
  return scheme + url.slice(url.lastIndexOf('@') + 1);
}
