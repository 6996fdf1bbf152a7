import { objectLabels } from '../../api/labels.ts';
import type { StorageProfile, StorageProfileStatus } from '../../api/storage-profile.ts';
import { differs, ownerReference } from '../../kube/apply.ts';
import type { StorageClass } from '../../kube/builtin-resources.ts';
import type { Outcome, Reconciler } from '../../kube/controller.ts';
import type { Key } from '../../kube/key.ts';
import type { ControllerContext } from '../context.ts';
import { createIfAbsent } from '../create-if-absent.ts';
import { storageProfiles } from '../resources.ts';

const FIELD_MANAGER = 'diskpress-storage-profile';

/** Keeps a StorageProfile for each StorageClass, and resolves what its users ask for into its status. */
export class StorageProfileReconciler implements Reconciler {
  readonly name = 'storage-profile';
  readonly #context: ControllerContext;

  constructor(context: ControllerContext) {
    this.#context = context;
  }

  async reconcile(key: Key): Promise<Outcome> {
    const { caches, client } = this.#context;
    const storageClass = caches.storageClasses.get(key);
    if (!storageClass) return undefined;
    const profile = caches.storageProfiles.get(key);
    if (!profile) {
      await createIfAbsent(client, storageProfiles, {
        apiVersion: 'cdi.kubevirt.io/v1beta1',
        kind: 'StorageProfile',
        metadata: { name: key.name, labels: { ...objectLabels }, ownerReferences: [ownerReference(storageClass)] },
        spec: {},
      });
      return undefined;
    }
    const status = statusOf(storageClass, profile);
    const stale = Object.keys(profile.status ?? {}).some((field) => !(field in status));
    if (!stale && !differs(status, profile.status ?? {})) return undefined;
    await client.applyStatus(
      storageProfiles,
      { metadata: { name: key.name }, status },
      { fieldManager: FIELD_MANAGER },
    );
    return undefined;
  }
}

function statusOf(storageClass: StorageClass, { spec }: StorageProfile): StorageProfileStatus {
  return {
    storageClass: storageClass.metadata?.name ?? '',
    provisioner: storageClass.provisioner,
    ...(spec.cloneStrategy ? { cloneStrategy: spec.cloneStrategy } : {}),
    ...(spec.claimPropertySets ? { claimPropertySets: spec.claimPropertySets } : {}),
    ...(spec.dataImportCronSourceFormat ? { dataImportCronSourceFormat: spec.dataImportCronSourceFormat } : {}),
    ...(spec.snapshotClass ? { snapshotClass: spec.snapshotClass } : {}),
  };
}
