import type { KubeObject } from '../../kube/resource.ts';
import { roleCertificates } from '../../protocol/installation.ts';
import type { GatewayRoute, Ingress, OpenShiftRoute } from './resources.ts';

/** How clients outside of the cluster reach the upload proxy. */
export interface WayIn {
  readonly host: string;
  /** The port, where it is not that of https. */
  readonly port?: number;
  /** Certificate of the authority, PEM, where clients meet another one than the proxy's own. */
  readonly ca?: string;
}

/** All that may lead to the upload proxy, in the namespace of the installation. */
export interface Candidates {
  readonly ingresses: readonly Ingress[];
  readonly httpRoutes: readonly GatewayRoute[];
  readonly tlsRoutes: readonly GatewayRoute[];
  readonly openShiftRoutes: readonly OpenShiftRoute[];
}

const SERVICE = roleCertificates.uploadproxy.service;
const HTTPS_PORT = 443;

/**
 * Returns the first way in that has a host: Ingresses come before HTTPRoutes, TLSRoutes and OpenShift's Routes, and of
 * one kind the oldest, so that what is added later changes nothing.
 */
export function wayInOf({ ingresses, httpRoutes, tlsRoutes, openShiftRoutes }: Candidates): WayIn | undefined {
  return (
    first(ingresses, ofIngress) ??
    first(httpRoutes, ofGatewayRoute) ??
    first(tlsRoutes, ofGatewayRoute) ??
    first(openShiftRoutes, ofOpenShiftRoute)
  );
}

/**
 * Returns a host and port as clients of CDI take it: virtctl and the console of OpenShift put the scheme before a host,
 * but virtctl cannot parse a host with a port unless it is a whole URL.
 */
export function urlOf({ host, port }: WayIn): string {
  return port === undefined ? host : `https://${host}:${port}`;
}

/** Returns what an administrator gave for the URL, in the same form. */
export function givenUrl(text: string): string {
  const hasScheme = /^[a-z][a-z\d+.-]*:\/\//i.test(text);
  return !hasScheme && /^(\[[\da-f:]+\]|[^/:]+):\d+/i.test(text) ? `https://${text}` : text;
}

function first<T extends KubeObject>(objects: readonly T[], read: (object: T) => WayIn | undefined): WayIn | undefined {
  return objects
    .toSorted((one, other) => orderOf(one).localeCompare(orderOf(other)))
    .map(read)
    .find((found) => found !== undefined);
}

function orderOf({ metadata }: KubeObject): string {
  return `${metadata?.creationTimestamp ?? ''} ${metadata?.name ?? ''}`;
}

function ofIngress({ spec, status }: Ingress): WayIn | undefined {
  const rule = spec?.rules?.find(({ http }) => http?.paths.some(({ backend }) => backend.service?.name === SERVICE));
  if (!rule && spec?.defaultBackend?.service?.name !== SERVICE) return undefined;
  const [address] = status?.loadBalancer?.ingress ?? [];
  const host = rule?.host ?? address?.hostname ?? inUrl(address?.ip);
  return isHost(host) ? { host } : undefined;
}

function ofGatewayRoute({ spec, metadata }: GatewayRoute): WayIn | undefined {
  const leadsHere = spec?.rules?.some(({ backendRefs = [] }) =>
    backendRefs.some(
      ({ group = '', kind = 'Service', name, namespace = metadata?.namespace }) =>
        group === '' && kind === 'Service' && name === SERVICE && namespace === metadata?.namespace,
    ),
  );
  const host = spec?.hostnames?.find(isHost);
  if (!leadsHere || host === undefined) return undefined;
  const port = spec?.parentRefs?.find((parent) => parent.port !== undefined)?.port ?? HTTPS_PORT;
  return port === HTTPS_PORT ? { host } : { host, port };
}

function ofOpenShiftRoute({ spec, status }: OpenShiftRoute): WayIn | undefined {
  if (spec?.to?.name !== SERVICE || (spec.to.kind ?? 'Service') !== 'Service') return undefined;
  const host = status?.ingress?.[0]?.host ?? spec.host;
  if (!isHost(host)) return undefined;
  const { termination, caCertificate } = spec.tls ?? {};
  return termination !== 'passthrough' && caCertificate ? { host, ca: caCertificate } : { host };
}

/** A wildcard is no host that clients can ask for. */
function isHost(host: string | undefined): host is string {
  return host !== undefined && host !== '' && !host.includes('*');
}

/** An IPv6 address within a URL is in brackets. */
function inUrl(address: string | undefined): string | undefined {
  return address?.includes(':') ? `[${address}]` : address;
}
