import { dataVolumeAnnotation, populationAnnotation, stateAnnotation } from '../../api/annotations.ts';
import type { DataVolume } from '../../api/data-volume.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { isBound } from '../claims/bound.ts';
import { begunWith } from '../clone/planner/facts.ts';
import { instancetypeOf } from './default-instancetype.ts';
import { driverCloneType } from './driver-clone.ts';
import { sourceKindOf } from './source-kind.ts';

/** The metadata that the controller writes on a DataVolume in addition to its status. */
export interface DataVolumeMetadata {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Returns what the metadata of a DataVolume still has to say about its claim: how it is cloned, its default instance
 * type, and that it existed before the DataVolume. The result is undefined where nothing is missing. This is a pure
 * function.
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

/** Returns whether the claim says that it already holds the DataVolume's data. */
export function isPopulatedFor(claim: PersistentVolumeClaim, dataVolume: DataVolume): boolean {
  return claim.metadata?.annotations?.[stateAnnotation.populatedFor] === dataVolume.metadata.name;
}

/**
 * Returns the clone type that was chosen; the annotation of a claim whose clone has not begun is only a wish, and does
 * not count.
 */
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
