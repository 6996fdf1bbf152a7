import { cdis } from '../api/cdi.ts';
import { dataImportCrons } from '../api/data-import-cron.ts';
import { dataVolumes } from '../api/data-volume.ts';
import { CDI_GROUP } from '../api/group.ts';
import { storageProfiles } from '../api/storage-profile.ts';
import { configMaps, leases, persistentVolumeClaims, secrets } from '../kube/builtin-resources.ts';
import { isNotFound } from '../kube/errors.ts';
import { keyOf } from '../kube/key.ts';
import type { Configuration } from '../kube/on-wire.ts';
import type { KubeObject, Resource } from '../kube/resource.ts';
import { installedObjects } from '../protocol/installation.ts';
import { persistently, type Step, type StepContext } from './step.ts';

/**
 * Removes what the controllers made at run time, once they are gone: certificates and keys, their lease, the CDI object
 * (with which the CDIConfig goes), and the StorageProfiles. Users' claims, DataVolumes and DataImportCrons stay, and
 * lose finalizers that nobody would remove any more.
 */
export const cleanUp: Step = async (context) => {
  const { namespace } = context;
  for (const name of installedObjects.secrets) await remove(context, secrets, { namespace, name });
  for (const name of installedObjects.configMaps) await remove(context, configMaps, { namespace, name });
  for (const name of installedObjects.leases) await remove(context, leases, { namespace, name });
  await release(context, persistentVolumeClaims);
  await release(context, dataVolumes);
  await release(context, dataImportCrons);
  await release(context, cdis);
  await removeAll(context, cdis);
  await removeAll(context, storageProfiles);
};

async function removeAll<T extends KubeObject>(context: StepContext, resource: Resource<T>): Promise<void> {
  for (const object of await listed(context, resource)) await remove(context, resource, keyOf(object));
}

async function remove<T extends KubeObject>(
  context: StepContext,
  resource: Resource<T>,
  key: { namespace: string; name: string },
): Promise<void> {
  const { client, signal } = context;
  await persistently(context, () => client.delete(resource, key, { signal }));
}

/** Frees all objects of a kind of the finalizers of this product. */
async function release<T extends KubeObject>(context: StepContext, resource: Resource<T>): Promise<void> {
  const { client, signal, logger } = context;
  for (const object of await listed(context, resource)) {
    if (!object.metadata?.finalizers?.some(isOurs)) continue;
    const key = keyOf(object);
    await persistently(context, async () => {
      // What it has now: a finalizer that somebody else added meanwhile stays.
      const { metadata } = (await client.get(resource, key, { signal })) ?? {};
      if (!metadata?.finalizers?.some(isOurs)) return;
      const { resourceVersion, finalizers } = metadata;
      const patch = { metadata: { resourceVersion, finalizers: finalizers.filter((name) => !isOurs(name)) } };
      await client
        .mergePatch(resource, key, patch as unknown as Configuration<T>, { signal })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
    });
    logger.info(`${resource.kind} is free of finalizers`, { step: 'clean-up', ...key });
  }
}

/** Returns all objects of a kind; none where the kind itself is gone. */
async function listed<T extends KubeObject>(context: StepContext, resource: Resource<T>): Promise<T[]> {
  const { client, signal } = context;
  return persistently(context, () =>
    client.list(resource, { signal }).catch((error: unknown) => {
      if (isNotFound(error)) return [];
      throw error;
    }),
  );
}

/** Whether a finalizer is one of `cdi.kubevirt.io` or of a domain below it. */
function isOurs(finalizer: string): boolean {
  const [domain = ''] = finalizer.split('/');
  return domain === CDI_GROUP || domain.endsWith(`.${CDI_GROUP}`);
}
