import type { KubeObject } from '../../kube/resource.ts';
import { roleCertificates } from '../../protocol/installation.ts';
import type { GatewayRoute, Ingress, OpenShiftRoute } from './resources.ts';

/** How clients outside of the cluster reach the upload proxy. */
export interface WayIn {
  readonly url: string;
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

/** Returns what an administrator gave for the URL in a form that virtctl can parse: it takes a host for a scheme. */
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
  return isHost(host) ? { url: `https://${host}` } : undefined;
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
  return { url: port === HTTPS_PORT ? `https://${host}` : `https://${host}:${port}` };
}

function ofOpenShiftRoute({ spec, status }: OpenShiftRoute): WayIn | undefined {
  if (spec?.to?.name !== SERVICE || (spec.to.kind ?? 'Service') !== 'Service') return undefined;
  const host = status?.ingress?.[0]?.host ?? spec.host;
  if (!isHost(host)) return undefined;
  const { termination, caCertificate } = spec.tls ?? {};
  // The console of OpenShift puts the scheme before it, whatever is there; virtctl does where there is none.
  return { url: host, ...(termination !== 'passthrough' && caCertificate && { ca: caCertificate }) };
}

/** A wildcard is no host that clients can ask for. */
function isHost(host: string | undefined): host is string {
  return host !== undefined && host !== '' && !host.includes('*');
}

/** An IPv6 address within a URL is in brackets. */
function inUrl(address: string | undefined): string | undefined {
  return address?.includes(':') ? `[${address}]` : address;
}
