import { CDI_GROUP } from '../../../src/api/group.ts';
import { PROVISIONER_ANNOTATION } from '../../../src/controllers/claims/awaiting-provisioner.ts';
import {
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
} from '../../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import type { Reconciler, Result } from '../../../src/kube/controller.ts';
import { isAlreadyExists, isNotFound } from '../../../src/kube/errors.ts';
import { enqueueFrom } from '../../../src/kube/event-source.ts';
import type { Informer } from '../../../src/kube/informer.ts';
import { keyFromString, keyOf, keyToString, type ObjectKey } from '../../../src/kube/key.ts';
import type { Manager } from '../../../src/kube/manager.ts';
import { defineIndex } from '../../../src/kube/object-index.ts';
import { type VolumeSnapshot, volumeSnapshots } from '../../../src/kube/snapshot-resources.ts';

/** The CSI driver that the simulation stands in for. */
export const SIMULATED_DRIVER = 'simulated.csi.example';

const byClaim = defineIndex<PersistentVolume>((volume) => claimOf(volume).map(keyToString));
const WORKERS = 16;

/**
 * Adds to the manager what a cluster's storage would do: the provisioner, the resizer and the volume controller for
 * claims, and the snapshot controller, but without storage behind it. Everything succeeds at once.
 */
export function simulateStorage(manager: Manager): void {
  const claims = manager.informer(persistentVolumeClaims);
  const volumes = manager.informer(persistentVolumes);
  const snapshots = manager.informer(volumeSnapshots);
  manager.addController(new ClaimSimulation(manager.client, claims, volumes), {
    watches: [enqueueFrom(claims), enqueueFrom(volumes, claimOf)],
    workers: WORKERS,
  });
  manager.addController(new VolumeSimulation(manager.client, claims, volumes), {
    watches: [
      enqueueFrom(volumes),
      enqueueFrom(claims, (claim) => volumes.byIndex(byClaim, keyToString(keyOf(claim))).map(keyOf)),
    ],
    workers: WORKERS,
  });
  manager.addController(new SnapshotSimulation(manager.client, snapshots), {
    watches: [enqueueFrom(snapshots)],
    workers: WORKERS,
  });
}

/** Provisions, binds and grows claims, as csi-provisioner, csi-resizer and the volume controller do between them. */
class ClaimSimulation implements Reconciler {
  readonly name = 'simulated-claim';
  readonly #client: KubeClient;
  readonly #claims: Informer<PersistentVolumeClaim>;
  readonly #volumes: Informer<PersistentVolume>;

  constructor(client: KubeClient, claims: Informer<PersistentVolumeClaim>, volumes: Informer<PersistentVolume>) {
    this.#client = client;
    this.#claims = claims;
    this.#volumes = volumes;
  }

  async reconcile(key: ObjectKey): Promise<Result> {
    const claim = this.#claims.get(key);
    if (!claim) return undefined;
    if (claim.metadata?.deletionTimestamp) return this.#letGo(claim, 'kubernetes.io/pvc-protection');
    const requested = claim.spec?.resources?.requests?.['storage'] ?? '';
    if (claim.status?.phase === 'Bound') {
      if (claim.status.capacity?.['storage'] !== requested) await this.#grow(claim, requested);
      return undefined;
    }
    const [volume] = this.#volumes.byIndex(byClaim, keyToString(key));
    // Until that is written, controllers that fill claims leave a claim alone.
    if (claim.metadata?.annotations?.[PROVISIONER_ANNOTATION] === undefined) await this.#nameProvisioner(claim);
    else if (volume) await this.#bind(claim, volume);
    else if (claim.spec?.dataSourceRef?.apiGroup !== CDI_GROUP) await this.#provision(claim, requested);
    return undefined;
  }

  async #nameProvisioner(claim: PersistentVolumeClaim): Promise<void> {
    await this.#client.mergePatch(persistentVolumeClaims, keyOf(claim), {
      metadata: { uid: claim.metadata?.uid, annotations: { [PROVISIONER_ANNOTATION]: SIMULATED_DRIVER } },
    });
  }

  async #provision(claim: PersistentVolumeClaim, storage: string): Promise<void> {
    const { uid = '' } = claim.metadata ?? {};
    try {
      await this.#client.create(persistentVolumes, {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: `pvc-${uid}` },
        spec: {
          accessModes: claim.spec?.accessModes ?? [],
          capacity: { storage },
          claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...keyOf(claim), uid },
          csi: { driver: SIMULATED_DRIVER, volumeHandle: uid },
          persistentVolumeReclaimPolicy: 'Delete',
          storageClassName: claim.spec?.storageClassName ?? '',
          volumeMode: claim.spec?.volumeMode ?? 'Filesystem',
        },
      });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }

  async #bind(claim: PersistentVolumeClaim, volume: PersistentVolume): Promise<void> {
    if (volume.spec?.claimRef?.uid !== claim.metadata?.uid) return;
    const name = volume.metadata?.name ?? '';
    await this.#client.mergePatch(
      persistentVolumes,
      keyOf(volume),
      { status: { phase: 'Bound' } },
      { subresource: 'status' },
    );
    await this.#client.mergePatch(persistentVolumeClaims, keyOf(claim), {
      metadata: { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } },
      spec: { volumeName: name },
    });
    await this.#client.mergePatch(
      persistentVolumeClaims,
      keyOf(claim),
      { status: { phase: 'Bound', accessModes: claim.spec?.accessModes ?? [], capacity: volume.spec?.capacity ?? {} } },
      { subresource: 'status' },
    );
  }

  async #grow(claim: PersistentVolumeClaim, storage: string): Promise<void> {
    const volume = { namespace: '', name: claim.spec?.volumeName ?? '' };
    await this.#client.mergePatch(persistentVolumes, volume, { spec: { capacity: { storage } } });
    const status = { status: { capacity: { storage } } };
    await this.#client.mergePatch(persistentVolumeClaims, keyOf(claim), status, { subresource: 'status' });
  }

  async #letGo(claim: PersistentVolumeClaim, finalizer: string): Promise<Result> {
    const finalizers = claim.metadata?.finalizers ?? [];
    if (!finalizers.includes(finalizer)) return undefined;
    const { resourceVersion } = claim.metadata ?? {};
    const others = finalizers.filter((other) => other !== finalizer);
    await ignoringAbsence(
      this.#client.mergePatch(persistentVolumeClaims, keyOf(claim), {
        metadata: { resourceVersion, finalizers: others },
      }),
    );
    return undefined;
  }
}

/** Releases, and then deletes or keeps, volumes whose claim is gone. */
class VolumeSimulation implements Reconciler {
  readonly name = 'simulated-volume';
  readonly #client: KubeClient;
  readonly #claims: Informer<PersistentVolumeClaim>;
  readonly #volumes: Informer<PersistentVolume>;

  constructor(client: KubeClient, claims: Informer<PersistentVolumeClaim>, volumes: Informer<PersistentVolume>) {
    this.#client = client;
    this.#claims = claims;
    this.#volumes = volumes;
  }

  async reconcile(key: ObjectKey): Promise<Result> {
    const volume = this.#volumes.get(key);
    const [claimKey] = volume ? claimOf(volume) : [];
    if (!volume || !claimKey || volume.status?.phase !== 'Bound') return undefined;
    const claim = this.#claims.get(claimKey);
    if (claim) return undefined;
    if (volume.spec?.persistentVolumeReclaimPolicy === 'Delete') {
      await this.#client.delete(persistentVolumes, key, { uid: volume.metadata?.uid });
      await ignoringAbsence(this.#client.mergePatch(persistentVolumes, key, { metadata: { finalizers: null } }));
    } else {
      await this.#client.mergePatch(
        persistentVolumes,
        key,
        { status: { phase: 'Released' } },
        { subresource: 'status' },
      );
    }
    return undefined;
  }
}

/** Takes snapshots, as the snapshot controller and csi-snapshotter do between them. */
class SnapshotSimulation implements Reconciler {
  readonly name = 'simulated-snapshot';
  readonly #client: KubeClient;
  readonly #snapshots: Informer<VolumeSnapshot>;

  constructor(client: KubeClient, snapshots: Informer<VolumeSnapshot>) {
    this.#client = client;
    this.#snapshots = snapshots;
  }

  async reconcile(key: ObjectKey): Promise<Result> {
    const snapshot = this.#snapshots.get(key);
    if (!snapshot || snapshot.status?.readyToUse) return undefined;
    const status = {
      readyToUse: true,
      restoreSize: '1Gi',
      boundVolumeSnapshotContentName: `snapcontent-${snapshot.metadata?.uid}`,
    };
    await this.#client.mergePatch(volumeSnapshots, key, { status }, { subresource: 'status' });
    return undefined;
  }
}

function claimOf(volume: PersistentVolume): ObjectKey[] {
  const { namespace, name } = volume.spec?.claimRef ?? {};
  return namespace && name ? [keyFromString(`${namespace}/${name}`)] : [];
}

async function ignoringAbsence(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
