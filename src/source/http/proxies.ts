import { BlockList, isIP } from 'node:net';
import { TransferError } from '../../base/errors.ts';

/** The proxies to use, as in the environment variables HTTP_PROXY, HTTPS_PROXY and NO_PROXY. */
export interface ProxySettings {
  /** Proxy for http: URLs: http(s)://[user:password@]host[:port]. */
  http?: string | undefined;
  /** Proxy for https: URLs. */
  https?: string | undefined;
  /** Hosts, domains, addresses and networks that are reached without a proxy, separated by commas; * means all. */
  none?: string | undefined;
}

/** Returns the settings in the environment; as in other programs, lower-case names take precedence. */
export function proxiesOf(environment: NodeJS.ProcessEnv): ProxySettings {
  const read = (name: string): string | undefined =>
    environment[name.toLowerCase()] || environment[name.toUpperCase()] || undefined;
  return { http: read('http_proxy'), https: read('https_proxy'), none: read('no_proxy') };
}

/** Determines the proxy for a URL. */
export class Proxies {
  readonly #http: URL | undefined;
  readonly #https: URL | undefined;
  readonly #exceptions: ((url: URL) => boolean)[];

  /** @throws TransferError InvalidRequest where a proxy is not an http(s) URL */
  constructor({ http, https, none = '' }: ProxySettings) {
    this.#http = parseProxy(http, 'HTTP_PROXY');
    this.#https = parseProxy(https, 'HTTPS_PROXY');
    const entries = none.split(/[\s,]+/).filter((entry) => entry !== '');
    this.#exceptions = entries.map((entry) => exception(entry.toLowerCase()));
  }

  for(url: URL): URL | undefined {
    const proxy = url.protocol === 'https:' ? this.#https : this.#http;
    return proxy === undefined || this.#exceptions.some((applies) => applies(url)) ? undefined : proxy;
  }
}

function parseProxy(given: string | undefined, name: string): URL | undefined {
  if (given === undefined) return undefined;
  const url = URL.parse(given.includes('://') ? given : `http://${given}`);
  if (url !== null && /^https?:$/.test(url.protocol) && url.hostname !== '') return url;
  // Not shown, since it may contain a password.
  throw new TransferError('InvalidRequest', `the proxy in ${name} should be http://[user:password@]host:port`);
}

/** Parses one entry of NO_PROXY to a predicate for URLs. */
function exception(entry: string): (url: URL) => boolean {
  if (entry === '*') return () => true;
  const [, network = '', prefix] = /^(.+)\/(\d{1,3})$/.exec(entry) ?? [];
  if (isIP(network) !== 0) return inNetwork(network, Number(prefix));
  const [, host = '', port] = /^(.*?)(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry) ?? [];
  const name = host.replace(/^\*?\./, '');
  return (url) => {
    if (port !== undefined && port !== (url.port || (url.protocol === 'https:' ? '443' : '80'))) return false;
    return url.hostname === name || url.hostname.endsWith(`.${name}`);
  };
}

function inNetwork(network: string, prefix: number): (url: URL) => boolean {
  const family = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');
  const list = new BlockList();
  if (prefix <= (isIP(network) === 6 ? 128 : 32)) list.addSubnet(network, prefix, family(network));
  return ({ hostname }) => {
    const address = hostname.replace(/^\[|\]$/g, '');
    return isIP(address) !== 0 && list.check(address, family(address));
  };
}
