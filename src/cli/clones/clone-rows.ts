import { stateAnnotation } from '../../api/annotations.ts';
import type { VolumeCloneSource } from '../../api/volume-clone-source.ts';
import { formatAge } from '../../base/format-age.ts';
import { formatBytes } from '../../base/format-bytes.ts';
import { type CloneView, cloneViewOf } from '../../controllers/clone/view.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { keyOf, keyToString } from '../../kube/key.ts';

/** A clone that is in progress or has failed, as shown to people. */
export interface CloneRow {
  readonly namespace: string;
  readonly name: string;
  /** `namespace/name` of the source; a snapshot is marked as such. */
  readonly source: string;
  readonly strategy: string;
  readonly phase: string;
  readonly progress: string;
  /** A rate such as `180 MiB/s`; empty where no bytes are copied. */
  readonly rate: string;
  readonly age: string;
  /** Why the clone is a copy although another strategy was wanted, or why it does not progress. */
  readonly detail: string;
}

/**
 * Returns the clones among the claims that are not complete, oldest first. Pure.
 *
 * @param now milliseconds since the epoch
 */
export function cloneRows(
  claims: readonly PersistentVolumeClaim[],
  cloneSources: readonly VolumeCloneSource[],
  now: number,
): CloneRow[] {
  const sources = new Map(cloneSources.map((source) => [keyToString(keyOf(source)), source]));
  const age = (claim: PersistentVolumeClaim) => now - Date.parse(claim.metadata?.creationTimestamp ?? '');
  return claims
    .map((claim) => ({ claim, view: cloneViewOf(claim) }))
    .filter((shown): shown is { claim: PersistentVolumeClaim; view: CloneView } => shown.view?.isComplete === false)
    .sort(
      ({ claim: one }, { claim: other }) => age(other) - age(one) || keyOf(one).name.localeCompare(keyOf(other).name),
    )
    .map(({ claim, view }) => rowOf(claim, view, sources, age(claim)));
}

function rowOf(
  claim: PersistentVolumeClaim,
  view: CloneView,
  sources: ReadonlyMap<string, VolumeCloneSource>,
  age: number,
): CloneRow {
  const { report, fallbackReason } = view;
  const stopped = report && !report.running ? `${report.reason}: ${report.message}` : undefined;
  const rate = report?.running ? report.bytesPerSecond : undefined;
  return {
    ...keyOf(claim),
    source: sourceOf(claim, view, sources),
    strategy: view.strategy ?? '',
    phase: view.phase ?? report?.podPhase ?? 'Pending',
    progress: report?.progress ?? 'N/A',
    rate: rate === undefined ? '' : `${formatBytes(rate)}/s`,
    age: formatAge(age),
    detail: [fallbackReason && `fell back: ${fallbackReason}`, stopped].filter(Boolean).join('; '),
  };
}

function sourceOf(
  claim: PersistentVolumeClaim,
  { requested, cloneSource }: CloneView,
  sources: ReadonlyMap<string, VolumeCloneSource>,
): string {
  const { namespace } = keyOf(claim);
  if (cloneSource === undefined) return requested ?? '';
  const source = sources.get(`${namespace}/${cloneSource}`);
  if (!source) return '(no VolumeCloneSource)';
  const from = source.metadata.annotations?.[stateAnnotation.dataSourceNamespace] ?? namespace;
  const { kind, name } = source.spec.source;
  return `${from}/${name}${kind === 'VolumeSnapshot' ? ' (snapshot)' : ''}`;
}
