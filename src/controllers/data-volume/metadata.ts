import { dataVolumeAnnotation, populationAnnotation, stateAnnotation } from '../../api/annotations.ts';
import type { DataVolume } from '../../api/data-volume.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { begunWith } from '../clone/planner/facts.ts';
import { isBound } from '../claims/bound.ts';
import { instancetypeOf } from './default-instancetype.ts';
import { driverCloneType } from './driver-clone.ts';
import { sourceKindOf } from './source-kind.ts';

/** What is written on a DataVolume beside its status. */
export interface DataVolumeMetadata {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * What a DataVolume is to tell of its claim in its metadata and does not yet: how it is cloned, of which default instance type, and that it
 * was there before. Undefined where there is nothing. Pure.
 */
export function metadataToWrite(
  dataVolume: DataVolume,
  claim: PersistentVolumeClaim,
): Partial<DataVolumeMetadata> | undefined {
  const { labels: present = {}, annotations = {} } = dataVolume.metadata;
  const isClone = sourceKindOf(dataVolume.spec) === 'clone';
  const cloneType = isClone ? cloneTypeOf(claim) : undefined;
  const wanted = {
    ...(cloneType ? { [stateAnnotation.cloneType]: cloneType } : {}),
    ...(isPopulatedFor(claim, dataVolume) &&
    isBound(claim) &&
    annotations[dataVolumeAnnotation.prePopulated] === undefined
      ? { [dataVolumeAnnotation.prePopulated]: claim.metadata?.name ?? '' }
      : {}),
  };
  const hasInstancetype = Object.keys(instancetypeOf(dataVolume)).length > 0;
  const written = {
    labels: isClone && !hasInstancetype ? missing(instancetypeOf(claim), present) : {},
    annotations: missing(wanted, annotations),
  };
  const filled = Object.entries(written).filter(([, map]) => Object.keys(map).length > 0);
  return filled.length > 0 ? Object.fromEntries(filled) : undefined;
}

/** Whether the claim says that it holds the DataVolume's data already. */
export function isPopulatedFor(claim: PersistentVolumeClaim, dataVolume: DataVolume): boolean {
  return claim.metadata?.annotations?.[stateAnnotation.populatedFor] === dataVolume.metadata.name;
}

/** A wish on the claim is not told. */
function cloneTypeOf(claim: PersistentVolumeClaim): string | undefined {
  const isDirect = claim.metadata?.annotations?.[populationAnnotation.cloneRequest] !== undefined;
  return isDirect ? 'copy' : (driverCloneType(claim) ?? begunWith(claim));
}

function missing(
  wanted: Readonly<Record<string, string>>,
  present: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(wanted).filter(([name, value]) => present[name] !== value));
}
