import type { V1Ingress } from '@kubernetes/client-node';
import type { OnWire } from '../../kube/on-wire.ts';
import { defineResource, type KubeObject } from '../../kube/resource.ts';

/** The ways by which a cluster may let clients outside of it reach a Service; only the fields that are read. */

export type Ingress = OnWire<V1Ingress>;

interface BackendReference {
  group?: string;
  kind?: string;
  name: string;
  namespace?: string;
}

/** HTTPRoute or TLSRoute of gateway.networking.k8s.io/v1. */
export interface GatewayRoute extends KubeObject {
  spec?: {
    parentRefs?: { name: string; port?: number }[];
    hostnames?: string[];
    rules?: { backendRefs?: BackendReference[] }[];
  };
}

/** Route of route.openshift.io/v1. */
export interface OpenShiftRoute extends KubeObject {
  spec?: {
    host?: string;
    to?: { kind?: string; name: string };
    tls?: { termination?: string; caCertificate?: string };
  };
  status?: { ingress?: { host?: string }[] };
}

const gateway = { group: 'gateway.networking.k8s.io', version: 'v1', namespaced: true };

export const ingresses = defineResource<Ingress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  namespaced: true,
});
export const httpRoutes = defineResource<GatewayRoute>({ ...gateway, kind: 'HTTPRoute', plural: 'httproutes' });
export const tlsRoutes = defineResource<GatewayRoute>({ ...gateway, kind: 'TLSRoute', plural: 'tlsroutes' });
export const openShiftRoutes = defineResource<OpenShiftRoute>({
  group: 'route.openshift.io',
  version: 'v1',
  kind: 'Route',
  plural: 'routes',
  namespaced: true,
});
