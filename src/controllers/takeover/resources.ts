import type { V1CronJob, V1CustomResourceDefinition, V1ValidatingWebhookConfiguration } from '@kubernetes/client-node';
import { CDI_GROUP } from '../../api/group.ts';
import type { OnWire } from '../../kube/on-wire.ts';
import { defineResource, type KubeObject } from '../../kube/resource.ts';

/** Resources that only the look at a cluster of CDI needs. */

export type CronJob = OnWire<V1CronJob>;
export type CustomResourceDefinition = OnWire<V1CustomResourceDefinition>;
export type ValidatingWebhookConfiguration = OnWire<V1ValidatingWebhookConfiguration>;
/** CDI's move of a claim or DataVolume to another namespace. */
export interface ObjectTransfer extends KubeObject {
  readonly status?: { readonly phase?: string };
}

export const cronJobs = defineResource<CronJob>({
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  plural: 'cronjobs',
  namespaced: true,
});
export const customResourceDefinitions = defineResource<CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
});
export const validatingWebhookConfigurations = defineResource<ValidatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  namespaced: false,
});
export const objectTransfers = defineResource<ObjectTransfer>({
  group: CDI_GROUP,
  version: 'v1beta1',
  kind: 'ObjectTransfer',
  plural: 'objecttransfers',
  namespaced: false,
});
