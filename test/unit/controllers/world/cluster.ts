import { dataImportCrons } from '../../../../src/api/data-import-cron.ts';
import { dataSources } from '../../../../src/api/data-source.ts';
import { dataVolumes } from '../../../../src/api/data-volume.ts';
import { CDI_GROUP } from '../../../../src/api/group.ts';
import { volumeCloneSources } from '../../../../src/api/volume-clone-source.ts';
import { volumeImportSources } from '../../../../src/api/volume-import-source.ts';
import { volumeUploadSources } from '../../../../src/api/volume-upload-source.ts';
import { PROVISIONER_ANNOTATION } from '../../../../src/controllers/claims/awaiting-provisioner.ts';
import { PROVISIONED_BY_ANNOTATION } from '../../../../src/controllers/objects/evidence.ts';
import {
  configMaps,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  secrets,
  services,
} from '../../../../src/kube/builtin-resources.ts';
import { keyOf } from '../../../../src/kube/key.ts';
import type { KubeObject, Resource } from '../../../../src/kube/resource.ts';
import { volumeSnapshotContents, volumeSnapshots } from '../../../../src/kube/snapshot-resources.ts';
import type { SimulatedApi } from './api.ts';
import type { Data } from './data.ts';
import { DRIVER, FREE_VOLUME, STORAGE_CLASS } from './installation.ts';
import { runPods } from './pods.ts';

const NAMESPACED: readonly Resource<KubeObject>[] = [
  dataVolumes,
  persistentVolumeClaims,
  volumeSnapshots,
  pods,
  services,
  secrets,
  configMaps,
  dataSources,
  dataImportCrons,
  volumeCloneSources,
  volumeImportSources,
  volumeUploadSources,
];

/** What Kubernetes, the CSI driver and the kubelets do by themselves; each call is a step. */
export class Cluster {
  /** Whether claims get volumes that are made for them. */
  provisions = true;
  readonly #api: SimulatedApi;
  readonly #data: Data;

  constructor(api: SimulatedApi, data: Data) {
    this.#api = api;
    this.#data = data;
  }

  step(): void {
    this.#collectGarbage();
    this.#reclaimVolumes();
    this.#reclaimContents();
    for (const claim of this.#api.list(persistentVolumeClaims)) this.#bind(claim);
    this.#takeSnapshots();
    runPods(this.#api, this.#data);
  }

  /** Owners elsewhere, or of another uid, count as gone. */
  #collectGarbage(): void {
    const living = new Set(
      NAMESPACED.flatMap((resource) =>
        this.#api.list(resource).map(({ metadata }) => `${metadata?.namespace} ${metadata?.uid}`),
      ),
    );
    for (const resource of NAMESPACED) {
      for (const object of this.#api.list(resource)) {
        const { namespace, ownerReferences = [] } = object.metadata ?? {};
        const isOrphan =
          ownerReferences.length > 0 && !ownerReferences.some(({ uid }) => living.has(`${namespace} ${uid}`));
        if (isOrphan) this.#api.delete('cluster', resource, keyOf(object));
      }
    }
  }

  #reclaimVolumes(): void {
    const claims = new Set(this.#api.list(persistentVolumeClaims).map(({ metadata }) => metadata?.uid));
    for (const volume of this.#api.list(persistentVolumes)) {
      const { claimRef, persistentVolumeReclaimPolicy } = volume.spec ?? {};
      const isReleased = claimRef?.uid !== undefined && !claims.has(claimRef.uid);
      if (isReleased && persistentVolumeReclaimPolicy === 'Delete')
        this.#api.delete('cluster', persistentVolumes, keyOf(volume));
    }
  }

  #reclaimContents(): void {
    const snapshots = new Set(this.#api.list(volumeSnapshots).map(({ metadata }) => metadata?.uid));
    for (const content of this.#api.list(volumeSnapshotContents)) {
      const { deletionPolicy, volumeSnapshotRef } = content.spec;
      if (deletionPolicy === 'Delete' && !snapshots.has(volumeSnapshotRef.uid))
        this.#api.delete('cluster', volumeSnapshotContents, keyOf(content));
    }
  }

  /**
   * Binds a claim to the volume that is its own, or has one made; what a claim itself says of that counts for nothing.
   */
  #bind(claim: PersistentVolumeClaim): void {
    const { uid } = claim.metadata ?? {};
    const named = claim.spec?.volumeName;
    const own = this.#api
      .list(persistentVolumes)
      .find(({ metadata, spec }) => spec?.claimRef?.uid === uid && (!named || metadata?.name === named));
    if (own) return this.#tell(claim, 'Bound', own.metadata?.name);
    if (named === FREE_VOLUME && this.#take(claim)) return this.#tell(claim, 'Bound', named);
    const hadVolume = claim.status?.phase === 'Bound' || claim.status?.phase === 'Lost';
    if (named) return this.#tell(claim, hadVolume ? 'Lost' : 'Pending');
    if (!claim.metadata?.deletionTimestamp) this.#provision(claim);
  }

  /** Gives the claim the volume that somebody has made by hand, while nobody has it. */
  #take(claim: PersistentVolumeClaim): boolean {
    const free = this.#api.find(persistentVolumes, { namespace: '', name: FREE_VOLUME });
    if (!free || free.spec?.claimRef) return false;
    const { namespace = '', name = '', uid = '' } = claim.metadata ?? {};
    const claimRef = { namespace, name, uid };
    this.#api.change('cluster', persistentVolumes, keyOf(free), (volume) => ({
      ...volume,
      spec: { ...volume.spec, claimRef },
    }));
    return true;
  }

  #provision(claim: PersistentVolumeClaim): void {
    const source = claim.spec?.dataSourceRef;
    const { namespace = '', name = '', uid } = claim.metadata ?? {};
    if (claim.spec?.storageClassName !== STORAGE_CLASS) return;
    if (source?.apiGroup === CDI_GROUP) return this.#nameProvisioner(claim);
    if (!this.provisions) return;
    const contents = source ? this.#data.ofSource({ namespace, name: source.name }, source.kind) : [];
    if (!contents) return;
    const volume = this.#api.create('cluster', persistentVolumes, {
      metadata: { name: `pv-${uid}`, annotations: { [PROVISIONED_BY_ANNOTATION]: DRIVER } },
      spec: {
        accessModes: claim.spec.accessModes ?? [],
        capacity: { storage: claim.spec.resources?.requests?.['storage'] ?? '1Gi' },
        claimRef: { namespace, name, uid: uid ?? '' },
        csi: { driver: DRIVER, volumeHandle: `${uid}` },
        persistentVolumeReclaimPolicy: 'Retain',
        storageClassName: STORAGE_CLASS,
      },
    });
    this.#data.put(volume.metadata?.name, contents);
    this.#tell(claim, 'Bound', volume.metadata?.name);
  }

  #nameProvisioner(claim: PersistentVolumeClaim): void {
    if (claim.metadata?.annotations?.[PROVISIONER_ANNOTATION] !== undefined) return;
    this.#api.change('cluster', persistentVolumeClaims, keyOf(claim), (current) => ({
      ...current,
      metadata: {
        ...current.metadata,
        annotations: { ...current.metadata?.annotations, [PROVISIONER_ANNOTATION]: DRIVER },
      },
    }));
  }

  #tell(claim: PersistentVolumeClaim, phase: string, volumeName?: string): void {
    this.#api.change('cluster', persistentVolumeClaims, keyOf(claim), (current) => ({
      ...current,
      spec: { ...current.spec, ...(volumeName && { volumeName }) },
      status: {
        ...current.status,
        phase,
        ...(phase === 'Bound' && { capacity: current.spec?.resources?.requests ?? {} }),
      },
    }));
  }

  #takeSnapshots(): void {
    for (const snapshot of this.#api.list(volumeSnapshots)) {
      const { uid, namespace = '', name } = snapshot.metadata ?? {};
      const content = { namespace: '', name: `snapcontent-${uid}` };
      const claim = { namespace, name: snapshot.spec.source.persistentVolumeClaimName ?? '' };
      const contents = this.#data.ofSource(claim, 'PersistentVolumeClaim');
      if (this.#api.find(volumeSnapshotContents, content) || !contents) continue;
      this.#api.create('cluster', volumeSnapshotContents, {
        metadata: { name: content.name },
        spec: {
          deletionPolicy: 'Retain',
          driver: DRIVER,
          source: { volumeHandle: this.#data.volumeOf(claim)?.spec?.csi?.volumeHandle ?? '' },
          volumeSnapshotRef: { namespace, name: name ?? '', uid: uid ?? '' },
        },
        status: { readyToUse: true, snapshotHandle: `handle of ${uid}`, restoreSize: 2 ** 30 },
      });
      this.#data.put(content.name, contents);
      this.#api.change('cluster', volumeSnapshots, keyOf(snapshot), (current) => ({
        ...current,
        status: { readyToUse: true, boundVolumeSnapshotContentName: content.name, restoreSize: '1Gi' },
      }));
    }
  }
}
