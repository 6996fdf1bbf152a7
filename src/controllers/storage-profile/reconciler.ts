import { objectLabels } from '../../api/labels.ts';
import { type StorageProfile, storageProfiles } from '../../api/storage-profile.ts';
import { differs, ownerReference } from '../../kube/apply.ts';
import { NO_PROVISIONER, type StorageClass } from '../../kube/builtin-resources.ts';
import type { Reconciler, Result } from '../../kube/controller.ts';
import type { ObjectKey } from '../../kube/key.ts';
import { createIfAbsent } from '../objects/create-if-absent.ts';
import { conditionsDiffer, withTimes } from '../runtime/conditions.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { type ResolvedProfile, resolveProfile } from './resolve.ts';

const FIELD_MANAGER = 'diskpress-storage-profile';

/** Maintains a StorageProfile for each StorageClass, and resolves its spec and what is known into its status. */
export class StorageProfileReconciler implements Reconciler {
  readonly name = 'storage-profile';
  readonly #context: ControllerContext;

  constructor(context: ControllerContext) {
    this.#context = context;
  }

  async reconcile(key: ObjectKey): Promise<Result> {
    const { caches, client } = this.#context;
    const storageClass = caches.storageClasses.get(key);
    if (!storageClass) return undefined;
    const profile = caches.storageProfiles.get(key);
    if (!profile) {
      await createIfAbsent(client, storageProfiles, emptyProfile(storageClass));
      return undefined;
    }
    const resolved = resolveProfile({
      storageClass,
      profile,
      volumes:
        storageClass.provisioner === NO_PROVISIONER
          ? caches.volumes.list().filter(({ spec }) => spec?.storageClassName === key.name)
          : [],
      snapshotClasses: caches.snapshotClasses.list(),
    });
    if (Object.keys(resolved.annotations).length > 0) {
      await client.mergePatch(storageProfiles, key, { metadata: { annotations: { ...resolved.annotations } } });
    }
    await this.#writeStatus(profile, resolved);
    return undefined;
  }

  async #writeStatus(profile: StorageProfile, { status }: ResolvedProfile): Promise<void> {
    const { conditions = [], ...rest } = status;
    const recorded = profile.status ?? {};
    const stale = Object.keys(recorded).some((field) => !(field in status));
    if (!stale && !differs(rest, recorded) && !conditionsDiffer(conditions, recorded.conditions)) return;
    await this.#context.client.applyStatus(
      storageProfiles,
      {
        metadata: { name: profile.metadata.name ?? '' },
        status: { ...rest, conditions: withTimes(conditions, recorded.conditions, this.#context.now()) },
      },
      { fieldManager: FIELD_MANAGER },
    );
  }
}

function emptyProfile(storageClass: StorageClass): StorageProfile {
  return {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'StorageProfile',
    metadata: {
      name: storageClass.metadata?.name,
      labels: { ...objectLabels },
      ownerReferences: [ownerReference(storageClass)],
    },
    spec: {},
  };
}
