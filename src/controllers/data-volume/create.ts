import { populationAnnotation } from '../../api/annotations.ts';
import type { DataVolume } from '../../api/data-volume.ts';
import { dataVolumeEventSource } from '../../api/event-source.ts';
import { volumeCloneSources } from '../../api/volume-clone-source.ts';
import { volumeImportSources } from '../../api/volume-import-source.ts';
import { volumeUploadSources } from '../../api/volume-upload-source.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../kube/builtin-resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isInvalid, TerminalError, toError } from '../../kube/errors.ts';
import { keyOf } from '../../kube/key.ts';
import { claimSpecOf } from '../../rendering/claim-spec.ts';
import { isBound } from '../claims/bound.ts';
import { decideGrant, type GrantedObject, issueGrant, requireSameNamespaces } from '../clone/grants/issue.ts';
import { clonedObjectOf } from '../clone/source/cloned-object.ts';
import { createIfAbsent } from '../objects/create-if-absent.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { readReport } from '../transfers/transfer-report.ts';
import { type ResolvedSource, sourceOf } from './clone-source.ts';
import { decidePopulation } from './decide-population.ts';
import { inheritedInstancetype } from './default-instancetype.ts';
import { isPopulatedFor } from './metadata.ts';
import { dataVolumeObjects } from './objects.ts';
import type { Population } from './population.ts';
import type { QuotaRoom } from './quota-room.ts';
import { type SourceKind, sourceKindOf } from './source-kind.ts';
import { sourceVolumeOf } from './source-volume.ts';
import { claimOfVolume, reservedVolumes } from './static-volume.ts';
import { requireStorageClass } from './storage-class.ts';
import { profileOf } from './storage-profile.ts';

/**
 * Creates a DataVolume's claim, and the source object that it is populated from. A clone from another namespace gets
 * its CloneGrant together with the claim. Where a volume is reserved for the claim, the claim is bound to it, and no
 * source is read or granted.
 *
 * @param room left by the quotas for claims
 * @throws TerminalError where the DataVolume asks for the impossible
 * @throws WaitingError where an object that the DataVolume names is missing
 */
export async function createObjects(
  context: ControllerContext,
  room: QuotaRoom,
  dataVolume: DataVolume,
): Promise<void> {
  const { caches, client, config } = context;
  const reserved = reservedVolumes(caches, dataVolume);
  if (reserved.length > 0) {
    await createClaim(client, claimOfVolume(caches, dataVolume, reserved));
    return;
  }
  const resolved = sourceOf(caches, dataVolume);
  const { source } = resolved;
  const granted = await grantedObject(context, dataVolume, resolved);
  const spec = { ...dataVolume.spec, ...(source ? { source } : {}) };
  delete spec.sourceRef;
  const storageClassName = requireStorageClass(caches, spec);
  const claimSpec = claimSpecOf(spec, {
    storageClassName,
    profile: profileOf(caches, storageClassName, spec, keyOf(dataVolume)),
    filesystemOverhead: config.filesystemOverhead(storageClassName),
    source: await sourceVolumeOf(context, spec, source),
  });
  const instancetype = inheritedInstancetype(caches, dataVolume, resolved, granted !== undefined);
  const metadata = { ...dataVolume.metadata, labels: { ...dataVolume.metadata.labels, ...instancetype } };
  const population = await decidePopulation(context, room, { ...dataVolume, metadata, spec }, claimSpec);
  const objects = dataVolumeObjects({ ...dataVolume, metadata, spec }, claimSpec, {
    population,
    preallocation: spec.preallocation ?? config.preallocation,
  });
  if (objects.importSource) await createIfAbsent(client, volumeImportSources, objects.importSource);
  if (objects.uploadSource) await createIfAbsent(client, volumeUploadSources, objects.uploadSource);
  if (objects.cloneSource) await createIfAbsent(client, volumeCloneSources, objects.cloneSource);
  const { claims } = population;
  room.reserve(keyOf(dataVolume), claims);
  const claim = await createClaim(client, objects.claim).catch((error: unknown) => {
    room.release(keyOf(dataVolume));
    throw error;
  });
  if (granted) await issueGrant(context, dataVolume, claim, granted);
  const kind = sourceKindOf(spec);
  const message = messageOf(population, kind);
  if (message) {
    const type = kind === 'clone' && population.by === 'itself' ? 'Warning' : 'Normal';
    const component = dataVolumeEventSource(kind);
    context.events.event(dataVolume, { type, reason: 'NoPopulator', component, message });
  }
}

/** Returns the message to report on a claim that is not populated in the usual way. */
function messageOf(population: Population, kind: SourceKind): string | undefined {
  if (population.by === 'populator') return undefined;
  if (population.by === 'driver') return `The CSI driver fills the claim itself: ${population.why}`;
  const { why, isForQuota } = population;
  const careful = isForQuota ? '; use the claim only once this DataVolume has succeeded' : '';
  if (kind === 'clone') return `Falling back to a host-assisted copy into the claim itself: ${why}${careful}`;
  return isForQuota ? `The claim itself is written: ${why}${careful}` : undefined;
}

/**
 * Creates the CloneGrant that a DataVolume with a claim should have but lacks, because the controller was stopped
 * between the two writes.
 *
 * @throws as {@link createObjects}
 */
export async function completeGrant(
  context: ControllerContext,
  dataVolume: DataVolume,
  claim: PersistentVolumeClaim,
): Promise<void> {
  // Only the claim decides, because the status of the DataVolume depends on the outcome. One that is written itself is
  // bound before its clone is complete.
  const annotations = claim.metadata?.annotations;
  const isWrittenItself = annotations?.[populationAnnotation.cloneRequest] !== undefined && !claim.spec?.dataSourceRef;
  const podPhase = readReport(annotations)?.podPhase;
  const isComplete = isWrittenItself ? podPhase === 'Succeeded' : isBound(claim);
  const isOver = isComplete || podPhase === 'Failed';
  const isGranted =
    context.caches.cloneGrants.get({ namespace: '', name: dataVolume.metadata.uid ?? '' }) !== undefined;
  if (isOver || isGranted || isPopulatedFor(claim, dataVolume) || sourceKindOf(dataVolume.spec) !== 'clone') return;
  const granted = await grantedObject(context, dataVolume, sourceOf(context.caches, dataVolume));
  if (granted) await issueGrant(context, dataVolume, claim, granted);
}

async function grantedObject(
  context: ControllerContext,
  dataVolume: DataVolume,
  { source, through }: ResolvedSource,
): Promise<GrantedObject | undefined> {
  const cloned = clonedObjectOf(source);
  if (!cloned || cloned.key.namespace === dataVolume.metadata.namespace) return undefined;
  const granted = decideGrant(context, dataVolume, cloned, through);
  await requireSameNamespaces(context, dataVolume, cloned, through);
  return granted;
}

async function createClaim(client: KubeClient, claim: PersistentVolumeClaim): Promise<PersistentVolumeClaim> {
  try {
    return await createIfAbsent(client, persistentVolumeClaims, claim);
  } catch (error) {
    if (!isInvalid(error)) throw error;
    throw new TerminalError('ErrClaimNotValid', toError(error).message, { cause: error });
  }
}
