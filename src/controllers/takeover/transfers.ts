import { stateAnnotation } from '../../api/annotations.ts';
import type { PersistentVolumeClaim, Pod } from '../../kube/builtin-resources.ts';
import { keyOf } from '../../kube/key.ts';
import { populatedFrom } from '../claims/population/populated-from.ts';
import type { SourceKind } from '../data-volume/source-kind.ts';
import { isPrimeOfCdi, isWriterOfCdi } from '../objects/left-by-cdi.ts';
import { judgePredecessor } from '../transfers/predecessor.ts';
import { readReport } from '../transfers/transfer-report.ts';
import type { Contents } from './contents.ts';
import type { Fate } from './fate.ts';

type Verdict = readonly [fate: Fate, why: string];

/** Judges what CDI has begun for a claim that does not have its data yet. */
export function judgeTransfer(
  contents: Contents,
  claim: PersistentVolumeClaim,
  kind: Exclude<SourceKind, 'external-population'>,
): Verdict {
  if (kind === 'clone' && populatedFrom(claim, 'VolumeCloneSource') !== undefined) return judgeClone(claim);
  const uid = claim.metadata?.uid;
  const written = claim.spec?.dataSourceRef ? contents.claims.find((each) => isPrimeOfCdi(each, uid)) : claim;
  if (!written) return ['goes on', 'nothing of it has begun'];
  if (readReport(written.metadata?.annotations)?.podPhase === 'Succeeded') return ['goes on', 'its data is complete'];
  const pod = contents.pods.find((each) => isWriterOfCdi(each) && mounts(each, written));
  if (!pod) return ['goes on', 'no pod works on it'];
  if (kind === 'clone') return ['starts again', 'what CDI’s pods have copied is copied anew'];
  const { report } = judgePredecessor(pod, kind === 'import');
  const name = pod.metadata?.name ?? '';
  if (!report) return ['goes on', `pod ${name} of CDI has completed it`];
  if (report.running) return ['goes on', `pod ${name} of CDI brings it to its end`];
  if (kind === 'upload') return ['starts again', 'what has been uploaded so far has to be sent again'];
  return ['starts again', `pod ${name} of CDI is replaced, as it is not running or cannot complete it`];
}

function judgeClone({ metadata }: PersistentVolumeClaim): Verdict {
  const phase = metadata?.annotations?.[stateAnnotation.clonePhase] ?? 'Pending';
  if (phase === 'Pending') return ['goes on', 'nothing of it has begun'];
  if (phase === 'Rebind') return ['goes on', 'its data is complete'];
  return ['starts again', `what CDI has made for it, in phase ${phase}, is removed and made anew`];
}

function mounts({ metadata, spec }: Pod, claim: PersistentVolumeClaim): boolean {
  const { namespace, name } = keyOf(claim);
  const names = spec?.volumes?.map(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName);
  return metadata?.namespace === namespace && (names?.includes(name) ?? false);
}
