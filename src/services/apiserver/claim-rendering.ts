import { populationAnnotation, userAnnotation } from '../../api/annotations.ts';
import { CDI_CONFIG_NAME, cdiConfigs } from '../../api/cdi-config.ts';
import type { DataVolumeSpec } from '../../api/data-volume.ts';
import { CDI_GROUP } from '../../api/group.ts';
import { APPLY_STORAGE_PROFILE_LABEL } from '../../api/labels.ts';
import type { StorageSpec } from '../../api/persistent-volume-claim-spec.ts';
import { parseQuantity } from '../../api/quantity.ts';
import { storageProfiles } from '../../api/storage-profile.ts';
import { volumeCloneSources } from '../../api/volume-clone-source.ts';
import { volumeImportSources } from '../../api/volume-import-source.ts';
import { volumeUploadSources } from '../../api/volume-upload-source.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims, storageClasses } from '../../kube/builtin-resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import { TerminalError, WaitingError } from '../../kube/errors.ts';
import type { ObjectKey } from '../../kube/key.ts';
import type { Manager } from '../../kube/manager.ts';
import { volumeSnapshots } from '../../kube/snapshot-resources.ts';
import { renderedClaimSpec, type SourceVolume } from '../../rendering/claim-spec.ts';
import { filesystemOverheadOf } from '../../rendering/filesystem-overhead.ts';
import { resolveStorageClassName } from '../../rendering/storage-class.ts';
import { StatusError } from './status-error.ts';

type ClaimSpec = NonNullable<PersistentVolumeClaim['spec']>;
type ContentType = NonNullable<DataVolumeSpec['contentType']>;

/** Completes the claims that ask for it by their label, as the `storage` of a DataVolume is completed. */
export class ClaimRendering {
  readonly #client: KubeClient;
  readonly #caches;

  /** @param manager that runs the watches */
  constructor(manager: Pick<Manager, 'client' | 'informer'>) {
    this.#client = manager.client;
    this.#caches = {
      storageClasses: manager.informer(storageClasses),
      storageProfiles: manager.informer(storageProfiles),
      cdiConfigs: manager.informer(cdiConfigs),
    };
  }

  /**
   * Returns the spec that a new claim gets; undefined where it stays as it is: it does not ask, names its volume
   * already, or the administrator has turned this off.
   *
   * @param claim as it was written, and completed with the defaults of Kubernetes
   * @throws StatusError Invalid where something is missing that cannot be found out
   */
  async specOf(claim: PersistentVolumeClaim, namespace: string): Promise<ClaimSpec | undefined> {
    const { metadata, spec } = claim;
    const config = this.#caches.cdiConfigs.get({ namespace: '', name: CDI_CONFIG_NAME })?.spec ?? {};
    if (metadata?.labels?.[APPLY_STORAGE_PROFILE_LABEL] !== 'true' || config.webhookPvcRendering === 'Disabled')
      return undefined;
    // A claim that names its volume was complete before, and comes from a backup.
    if (!spec || spec.volumeName) return undefined;
    const contentType = await this.#contentTypeOf(claim, namespace);
    const storageClassName = resolveStorageClassName(
      spec.storageClassName,
      contentType,
      this.#caches.storageClasses.list(),
    );
    const overhead = (name: string | undefined) => filesystemOverheadOf(config, name);
    const isWithoutSize = spec.resources?.requests?.['storage'] === undefined;
    try {
      return renderedClaimSpec(spec as StorageSpec, contentType, {
        storageClassName,
        profile: this.#caches.storageProfiles.get({ namespace: '', name: storageClassName ?? '' }),
        filesystemOverhead: overhead(storageClassName),
        source: isWithoutSize ? await this.#sourceOf(spec, namespace, overhead) : undefined,
      });
    } catch (error) {
      if (!(error instanceof WaitingError) && !(error instanceof TerminalError)) throw error;
      throw new StatusError('Invalid', error.message, { cause: error });
    }
  }

  async #contentTypeOf({ metadata, spec }: PersistentVolumeClaim, namespace: string): Promise<ContentType> {
    const annotated = metadata?.annotations?.[populationAnnotation.contentType];
    if (annotated !== undefined) return annotated === 'archive' ? 'archive' : 'kubevirt';
    const { apiGroup, kind, name = '' } = spec?.dataSourceRef ?? {};
    const resource = [volumeImportSources, volumeUploadSources].find((each) => each.kind === kind);
    if (apiGroup !== CDI_GROUP || !resource) return 'kubevirt';
    const key = { namespace, name };
    const source =
      resource === volumeImportSources
        ? await this.#client.get(volumeImportSources, key)
        : await this.#client.get(volumeUploadSources, key);
    return source?.spec.contentType === 'archive' ? 'archive' : 'kubevirt';
  }

  /** Returns the volume that a claim without a size is a clone of; undefined where it is none, or that is not known. */
  async #sourceOf(
    { dataSourceRef }: ClaimSpec,
    namespace: string,
    overhead: (storageClassName: string | undefined) => number,
  ): Promise<SourceVolume | undefined> {
    const { apiGroup, kind, name = '' } = dataSourceRef ?? {};
    if (apiGroup !== CDI_GROUP || kind !== volumeCloneSources.kind) return undefined;
    const cloneSource = await this.#client.get(volumeCloneSources, { namespace, name });
    if (!cloneSource) return undefined;
    const key = { namespace, name: cloneSource.spec.source.name };
    const isSnapshot = cloneSource.spec.source.kind === volumeSnapshots.kind;
    return isSnapshot ? this.#snapshotSource(key, overhead) : this.#claimSource(key, overhead);
  }

  async #claimSource(
    key: ObjectKey,
    overhead: (storageClassName: string | undefined) => number,
  ): Promise<SourceVolume | undefined> {
    const source = await this.#client.get(persistentVolumeClaims, key);
    const capacity = source?.status?.capacity?.['storage'] ?? source?.spec?.resources?.requests?.['storage'];
    if (!source || capacity === undefined) return undefined;
    return {
      volumeMode: source.spec?.volumeMode === 'Block' ? 'Block' : 'Filesystem',
      capacity: parseQuantity(capacity),
      filesystemOverhead: overhead(source.spec?.storageClassName),
    };
  }

  async #snapshotSource(
    key: ObjectKey,
    overhead: (storageClassName: string | undefined) => number,
  ): Promise<SourceVolume | undefined> {
    const snapshot = await this.#client.get(volumeSnapshots, key);
    const capacity = snapshot?.status?.restoreSize;
    if (capacity === undefined) return undefined;
    const mode = snapshot?.metadata?.annotations?.[userAnnotation.sourceVolumeMode];
    return {
      volumeMode: mode === 'Block' ? 'Block' : 'Filesystem',
      capacity: parseQuantity(capacity),
      filesystemOverhead: overhead(undefined),
    };
  }
}
