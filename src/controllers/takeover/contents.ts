import { cdis } from '../../api/cdi.ts';
import { dataImportCrons } from '../../api/data-import-cron.ts';
import { dataSources } from '../../api/data-source.ts';
import { dataVolumes } from '../../api/data-volume.ts';
import { objectLabels } from '../../api/labels.ts';
import { storageProfiles } from '../../api/storage-profile.ts';
import { volumeCloneSources } from '../../api/volume-clone-source.ts';
import {
  apiServices,
  deployments,
  mutatingWebhookConfigurations,
  persistentVolumeClaims,
  pods,
} from '../../kube/builtin-resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isNotFound } from '../../kube/errors.ts';
import type { KubeObject, Resource } from '../../kube/resource.ts';
import { cronJobs, customResourceDefinitions, objectTransfers, validatingWebhookConfigurations } from './resources.ts';

const looked = {
  dataVolumes: { resource: dataVolumes },
  claims: { resource: persistentVolumeClaims },
  pods: { resource: pods, labelSelector: `app=${objectLabels.app}` },
  dataSources: { resource: dataSources },
  dataImportCrons: { resource: dataImportCrons },
  cloneSources: { resource: volumeCloneSources },
  storageProfiles: { resource: storageProfiles },
  cdis: { resource: cdis },
  objectTransfers: { resource: objectTransfers },
  deployments: { resource: deployments },
  cronJobs: { resource: cronJobs, labelSelector: 'cdi.kubevirt.io/dataImportCron' },
  crds: { resource: customResourceDefinitions },
  validatingWebhooks: { resource: validatingWebhookConfigurations },
  mutatingWebhooks: { resource: mutatingWebhookConfigurations },
  apiServices: { resource: apiServices },
} as const;

/** What a cluster of CDI contains, as far as it matters to whoever takes it over. */
export type Contents = {
  readonly [Name in keyof typeof looked]: (typeof looked)[Name]['resource'] extends Resource<infer T>
    ? readonly T[]
    : never;
};

/**
 * Reads what a cluster contains. Kinds that it does not know have no objects.
 *
 * @throws ApiError where the user may not read all of it
 */
export async function readContents(client: KubeClient, signal: AbortSignal): Promise<Contents> {
  const read = async (resource: Resource<KubeObject>, labelSelector: string | undefined) => {
    try {
      return await client.list(resource, { labelSelector, signal });
    } catch (error) {
      if (isNotFound(error)) return [];
      throw error;
    }
  };
  const entries = Object.entries(looked as Readonly<Record<string, { resource: unknown; labelSelector?: string }>>);
  const all = entries.map(async ([name, { resource, labelSelector }]) => {
    return [name, await read(resource as Resource<KubeObject>, labelSelector)] as const;
  });
  return Object.fromEntries(await Promise.all(all)) as unknown as Contents;
}
