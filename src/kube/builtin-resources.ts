import type {
  CoreV1Event,
  V1APIService,
  V1ConfigMap,
  V1CSIDriver,
  V1Deployment,
  V1Lease,
  V1MutatingWebhookConfiguration,
  V1Namespace,
  V1Node,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1ResourceQuota,
  V1Secret,
  V1Service,
  V1StorageClass,
  V1SubjectAccessReview,
  V1TokenReview,
  V1ValidatingAdmissionPolicy,
  V1ValidatingAdmissionPolicyBinding,
} from '@kubernetes/client-node';
import type { OnWire } from './on-wire.ts';
import { defineResource, type KubeObject } from './resource.ts';

export type Pod = OnWire<V1Pod>;
export type Service = OnWire<V1Service>;
export type Secret = OnWire<V1Secret>;
export type ConfigMap = OnWire<V1ConfigMap>;
export type PersistentVolumeClaim = OnWire<V1PersistentVolumeClaim>;
export type PersistentVolume = OnWire<V1PersistentVolume>;
export type StorageClass = OnWire<V1StorageClass>;
export type CSIDriver = OnWire<V1CSIDriver>;
export type Event = OnWire<CoreV1Event>;
export type Deployment = OnWire<V1Deployment>;
export type Lease = OnWire<V1Lease>;
export type Namespace = OnWire<V1Namespace>;
export type Node = OnWire<V1Node>;
export type ValidatingAdmissionPolicy = OnWire<V1ValidatingAdmissionPolicy>;
export type ValidatingAdmissionPolicyBinding = OnWire<V1ValidatingAdmissionPolicyBinding>;
export type MutatingWebhookConfiguration = OnWire<V1MutatingWebhookConfiguration>;
export type APIService = OnWire<V1APIService>;
export type SubjectAccessReview = OnWire<V1SubjectAccessReview>;
/** The part of it that is asked and answered. */
export interface TokenRequest extends KubeObject {
  spec: { audiences: string[]; expirationSeconds?: number };
  status?: { token: string; expirationTimestamp: string };
}
export type TokenReview = OnWire<V1TokenReview>;
export type ResourceQuota = OnWire<V1ResourceQuota>;

const core = { group: '', version: 'v1', namespaced: true };
const admission = { group: 'admissionregistration.k8s.io', version: 'v1', namespaced: false };
const storage = { group: 'storage.k8s.io', version: 'v1', namespaced: false };

export const pods = defineResource<Pod>({ ...core, kind: 'Pod', plural: 'pods' });
export const services = defineResource<Service>({ ...core, kind: 'Service', plural: 'services' });
export const secrets = defineResource<Secret>({ ...core, kind: 'Secret', plural: 'secrets' });
export const configMaps = defineResource<ConfigMap>({ ...core, kind: 'ConfigMap', plural: 'configmaps' });
export const persistentVolumeClaims = defineResource<PersistentVolumeClaim>({
  ...core,
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
});
export const persistentVolumes = defineResource<PersistentVolume>({
  ...core,
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  namespaced: false,
});
export const storageClasses = defineResource<StorageClass>({
  ...storage,
  kind: 'StorageClass',
  plural: 'storageclasses',
});
/** Provisioner of storage classes whose volumes are created manually. */
export const NO_PROVISIONER = 'kubernetes.io/no-provisioner';
export const csiDrivers = defineResource<CSIDriver>({ ...storage, kind: 'CSIDriver', plural: 'csidrivers' });
export const events = defineResource<Event>({ ...core, kind: 'Event', plural: 'events' });
export const deployments = defineResource<Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  namespaced: true,
});
export const leases = defineResource<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
});
export const namespaces = defineResource<Namespace>({
  ...core,
  kind: 'Namespace',
  plural: 'namespaces',
  namespaced: false,
});
export const nodes = defineResource<Node>({ ...core, kind: 'Node', plural: 'nodes', namespaced: false });
export const resourceQuotas = defineResource<ResourceQuota>({
  ...core,
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
});
/** ValidatingAdmissionPolicies are served by Kubernetes 1.30 and later. */
export const validatingAdmissionPolicies = defineResource<ValidatingAdmissionPolicy>({
  ...admission,
  kind: 'ValidatingAdmissionPolicy',
  plural: 'validatingadmissionpolicies',
});
export const validatingAdmissionPolicyBindings = defineResource<ValidatingAdmissionPolicyBinding>({
  ...admission,
  kind: 'ValidatingAdmissionPolicyBinding',
  plural: 'validatingadmissionpolicybindings',
});
export const mutatingWebhookConfigurations = defineResource<MutatingWebhookConfiguration>({
  ...admission,
  kind: 'MutatingWebhookConfiguration',
  plural: 'mutatingwebhookconfigurations',
});
export const apiServices = defineResource<APIService>({
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  namespaced: false,
});
export const serviceAccounts = defineResource<KubeObject>({
  ...core,
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
});
/** A token of a ServiceAccount, which is created as its part of the name `token`. */
export const tokenRequests = defineResource<TokenRequest>({
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenRequest',
  plural: 'tokenrequests',
  namespaced: true,
});
export const tokenReviews = defineResource<TokenReview>({
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenReview',
  plural: 'tokenreviews',
  namespaced: false,
});
export const subjectAccessReviews = defineResource<SubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  namespaced: false,
});
