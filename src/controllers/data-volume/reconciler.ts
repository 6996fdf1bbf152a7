import { stateAnnotation, userAnnotation } from '../../api/annotations.ts';
import type { DataVolume } from '../../api/data-volume.ts';
import { dataVolumeEventSource } from '../../api/event-reasons.ts';
import { parseQuantity } from '../../api/quantity.ts';
import { controllerOf } from '../../kube/apply.ts';
import { persistentVolumeClaims, type PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { Outcome, Reconciler } from '../../kube/controller.ts';
import { isInvalid, TerminalError, toError, WaitingError } from '../../kube/errors.ts';
import { keyOf, keyToString, type Key } from '../../kube/key.ts';
import type { ControllerContext } from '../context.ts';
import { createIfAbsent } from '../create-if-absent.ts';
import { clonePlanAnnotation } from '../internal-annotations.ts';
import { dataVolumes, volumeCloneSources, volumeImportSources } from '../resources.ts';
import { requestedBytes } from '../transfer-target.ts';
import { mayBePopulatedNow } from '../wait-for-first-consumer.ts';
import { claimSpecOf } from './claim-spec.ts';
import { eventsOf } from './events.ts';
import { dataVolumeObjects } from './objects.ts';
import { observe, type DataVolumeWorld } from './observation.ts';
import { sourceKindOf } from './source-kind.ts';
import { statusToWrite } from './status.ts';
import { hasCsiDriver, resolveStorageClassName } from './storage-class.ts';

const FIELD_MANAGER = 'diskpress-data-volume';
const LOOK_AGAIN_MILLISECONDS = 2_000;

/** Makes each DataVolume's claim and the source object that it is populated from, and tells on the DataVolume how it fares. */
export class DataVolumeReconciler implements Reconciler {
  readonly name = 'data-volume';
  readonly #context: ControllerContext;
  /** What was written last for each key: the cache can be behind it, and would have its events told twice. */
  readonly #written = new Map<string, DataVolume>();

  constructor(context: ControllerContext) {
    this.#context = context;
  }

  async reconcile(key: Key): Promise<Outcome> {
    const dataVolume = this.#current(key);
    if (!dataVolume || dataVolume.metadata.deletionTimestamp) return undefined;
    const claim = this.#context.caches.claims.get(key);
    if (claim) requireOwn(dataVolume, claim);
    else if (dataVolume.status?.phase !== 'Succeeded') await this.#create(dataVolume);
    await this.#report(dataVolume, claim, undefined);
    return undefined;
  }

  async failed(key: Key, failure: Error): Promise<void> {
    const dataVolume = this.#current(key);
    if (!dataVolume || !(failure instanceof TerminalError || failure instanceof WaitingError)) return;
    await this.#report(dataVolume, undefined, failure);
  }

  /** The DataVolume as it was last seen or written, whichever is newer. */
  #current(key: Key): DataVolume | undefined {
    const cached = this.#context.caches.dataVolumes.get(key);
    const written = this.#written.get(keyToString(key));
    if (cached && written && cached.metadata.uid === written.metadata.uid && isNewer(written, cached)) return written;
    this.#written.delete(keyToString(key));
    return cached;
  }

  async #create(dataVolume: DataVolume): Promise<void> {
    const { caches, client, config } = this.#context;
    const { spec } = dataVolume;
    if (spec.sourceRef || spec.source?.upload) {
      throw new TerminalError(
        'UnsupportedSource',
        `A DataVolume with ${spec.sourceRef ? 'a sourceRef' : 'an upload source'} is not supported by this version`,
      );
    }
    const storageClassName = this.#storageClassName(dataVolume);
    const claimSpec = claimSpecOf(spec, {
      storageClassName,
      profile: caches.storageProfiles.get({ namespace: '', name: storageClassName ?? '' }),
      filesystemOverhead: config.filesystemOverhead(storageClassName),
      sourceRequest: this.#sourceRequest(dataVolume),
    });
    const usePopulator =
      dataVolume.metadata.annotations?.[userAnnotation.usePopulator] !== 'false' &&
      hasCsiDriver(storageClassName, caches);
    if (!usePopulator && spec.source?.snapshot) {
      throw new TerminalError(
        'ErrUnableToClone',
        `A snapshot can only be restored by a CSI driver, and storage class "${storageClassName ?? ''}" has none, or ` +
          `the annotation ${userAnnotation.usePopulator} is "false"`,
      );
    }
    const objects = dataVolumeObjects(dataVolume, claimSpec, {
      usePopulator,
      preallocation: spec.preallocation ?? config.preallocation,
    });
    if (objects.importSource) await createIfAbsent(client, volumeImportSources, objects.importSource);
    if (objects.cloneSource) await createIfAbsent(client, volumeCloneSources, objects.cloneSource);
    const directClone = !usePopulator && spec.source?.pvc !== undefined;
    if (directClone) {
      this.#context.events.event(dataVolume, {
        type: 'Warning',
        reason: 'NoPopulator',
        message: `Falling back to a host-assisted copy: storage class "${storageClassName ?? ''}" has no CSI driver, or the annotation ${userAnnotation.usePopulator} is "false"`,
        component: dataVolumeEventSource('clone'),
      });
    }
    await this.#createClaim(withAnnotations(objects.claim, directClone, usePopulator));
  }

  async #createClaim(claim: PersistentVolumeClaim): Promise<void> {
    try {
      await createIfAbsent(this.#context.client, persistentVolumeClaims, claim);
    } catch (error) {
      if (!isInvalid(error)) throw error;
      throw new TerminalError('ErrClaimNotValid', toError(error).message, { cause: error });
    }
  }

  /** @throws WaitingError where there is no such class, and no static volume of its name either */
  #storageClassName({ spec }: DataVolume): string | undefined {
    const { caches } = this.#context;
    const named = spec.pvc?.storageClassName ?? spec.storage?.storageClassName;
    const classes = caches.storageClasses.list();
    const resolved = resolveStorageClassName(named, spec.contentType ?? 'kubevirt', classes);
    const names = classes.map((candidate) => candidate.metadata?.name).join(', ') || 'none';
    if (resolved === undefined) {
      throw new WaitingError(
        'StorageClassNotFound',
        `The cluster has no default StorageClass; name one in the DataVolume (there are: ${names})`,
        { after: LOOK_AGAIN_MILLISECONDS },
      );
    }
    const known =
      resolved === '' ||
      caches.storageClasses.get({ namespace: '', name: resolved }) !== undefined ||
      caches.volumes.list().some((volume) => volume.spec?.storageClassName === resolved);
    if (known) return resolved;
    throw new WaitingError(
      'StorageClassNotFound',
      `StorageClass "${resolved}" does not exist; create it, or name another one (there are: ${names})`,
      { after: LOOK_AGAIN_MILLISECONDS },
    );
  }

  /** What the source of a clone requests, where the DataVolume leaves the size to it. */
  #sourceRequest({ spec }: DataVolume): number | undefined {
    const { pvc, snapshot } = spec.source ?? {};
    if (!spec.storage || spec.storage.resources?.requests?.['storage'] !== undefined || !(pvc ?? snapshot))
      return undefined;
    const claim = pvc && this.#context.caches.claims.get(pvc);
    if (claim) return requestedBytes(claim);
    const restoreSize = snapshot && this.#context.caches.snapshots.get(snapshot)?.status?.restoreSize;
    if (restoreSize) return parseQuantity(restoreSize);
    const from = pvc ?? snapshot;
    throw new WaitingError(
      'CloneWithoutSource',
      `The source "${from?.name}" does not exist in namespace "${from?.namespace}" or is not ready; the clone starts when it is`,
      { after: LOOK_AGAIN_MILLISECONDS },
    );
  }

  async #report(
    dataVolume: DataVolume,
    claim: PersistentVolumeClaim | undefined,
    failure: TerminalError | WaitingError | undefined,
  ): Promise<void> {
    const { caches, client, events, now } = this.#context;
    const kind = sourceKindOf(dataVolume.spec);
    const world: DataVolumeWorld = {
      dataVolume,
      claim,
      kind,
      failure,
      awaitsConsumer: claim !== undefined && !mayBePopulatedNow(claim, caches),
    };
    const observed = observe(world);
    const status = statusToWrite(dataVolume, observed, now());
    if (!status) return;
    const component = dataVolumeEventSource(kind);
    const plan = claim?.metadata?.annotations?.[clonePlanAnnotation];
    for (const event of eventsOf(dataVolume, observed, kind, plan)) events.event(dataVolume, { ...event, component });
    const written = await client.applyStatus(
      dataVolumes,
      { apiVersion: dataVolume.apiVersion, kind: dataVolume.kind, metadata: keyOf(dataVolume), status },
      { fieldManager: FIELD_MANAGER },
    );
    this.#written.set(keyToString(keyOf(dataVolume)), written);
  }
}

/** Resource versions of one resource can be compared as numbers since Kubernetes 1.35, and could before in practice. */
function isNewer(one: DataVolume, other: DataVolume): boolean {
  return Number(one.metadata.resourceVersion) > Number(other.metadata.resourceVersion);
}

function withAnnotations(
  claim: PersistentVolumeClaim,
  directClone: boolean,
  usePopulator: boolean,
): PersistentVolumeClaim {
  return {
    ...claim,
    metadata: {
      ...claim.metadata,
      annotations: {
        ...claim.metadata?.annotations,
        [userAnnotation.usePopulator]: String(usePopulator),
        ...(directClone
          ? { [stateAnnotation.cloneType]: 'copy', [stateAnnotation.cloneFallbackReason]: 'NoPopulator' }
          : {}),
      },
    },
  };
}

function requireOwn(dataVolume: DataVolume, claim: PersistentVolumeClaim): void {
  if (controllerOf(claim)?.uid === dataVolume.metadata.uid) return;
  throw new WaitingError(
    'ErrResourceExists',
    `PersistentVolumeClaim "${dataVolume.metadata.name}" exists already and does not belong to this DataVolume; ` +
      'delete or rename one of the two',
    { after: LOOK_AGAIN_MILLISECONDS },
  );
}
