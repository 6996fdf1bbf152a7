import { stateAnnotation } from '../../../api/annotations.ts';
import { hasStages } from '../../../api/import-stages.ts';
import type { PersistentVolumeClaim, Pod } from '../../../kube/builtin-resources.ts';
import { enqueueFrom, type EventSource } from '../../../kube/event-source.ts';
import { keyIf, keyOf } from '../../../kube/key.ts';
import { importerPodName, primeClaimName } from '../../../protocol/object-names.ts';
import type { ImportStage } from '../../../protocol/transfer-pod.ts';
import { claimsNaming } from '../../claims/population/populated-claims.ts';
import { byTarget } from '../../objects/work-index.ts';
import type { Caches } from '../../runtime/caches.ts';
import type { TransferStages } from '../../transfers/transfer-stages.ts';
import { volumeModeOf } from '../../transfers/transfer-target.ts';
import { endOfStage, nextStage } from './decide.ts';
import { planOfClaim } from './plan-of-claim.ts';
import { copiedOf, stageOf } from './stage-annotations.ts';

/** Returns the name of the pod that imports into a claim: the whole disk, or the stage that its annotations name. */
export function importPodNameOf({ metadata }: PersistentVolumeClaim): string {
  return importerPodName(metadata?.name ?? '', stageOf(metadata?.annotations)?.current);
}

/** Returns the stages of multi-stage imports. */
export function importStages(
  caches: Pick<Caches, 'claims' | 'dataVolumes' | 'importSources' | 'pods'>,
): TransferStages {
  const planOf = (claim: PersistentVolumeClaim) => planOfClaim(caches, claim);
  const podsOf = (claim: PersistentVolumeClaim) =>
    caches.pods.byIndex(byTarget, claim.metadata?.uid ?? '').filter(isImporter);
  const countedOf = ({ metadata }: PersistentVolumeClaim) => Object.values(copiedOf(metadata?.annotations));
  return {
    podsOf,
    countedOf,
    podAtWork(claim) {
      const counted = countedOf(claim);
      return podsOf(claim).find(({ metadata }) => !counted.includes(metadata?.uid ?? ''));
    },
    next(claim) {
      const plan = planOf(claim);
      if (!plan) return undefined;
      const next = nextStage(plan, claim.metadata?.annotations ?? {}, stageBegunOn(claim));
      return next ? { ...next, podName: importerPodName(keyOf(claim).name, next.stage.current) } : 'pause';
    },
    end(claim, pod) {
      const { annotations = {} } = claim.metadata ?? {};
      const plan = planOf(claim);
      const stage = stageOf(pod.metadata?.annotations) ?? stageOf(annotations);
      return plan && stage && endOfStage(plan, annotations, { stage, uid: pod.metadata?.uid ?? '' });
    },
  };
}

/** Returns what wakes claims whose next stage may have become known. */
export function stageWatches({ claims, dataVolumes, importSources }: Caches): EventSource[] {
  const primesOf = (target: PersistentVolumeClaim | undefined) =>
    target ? [{ ...keyOf(target), name: primeClaimName(target.metadata?.uid ?? '') }] : [];
  return [
    enqueueFrom(dataVolumes, (dataVolume) => keyIf(dataVolume, hasStages(dataVolume.spec))),
    enqueueFrom(importSources, (source) =>
      hasStages(source.spec) ? claimsNaming(source, { claims }).flatMap((key) => primesOf(claims.get(key))) : [],
    ),
  ];
}

/**
 * Returns the stage that has begun to change a claim's disk, where only the controllers remember it: a Block volume has
 * no room for that beside its data, while an importer finds it on a Filesystem volume.
 */
function stageBegunOn(claim: PersistentVolumeClaim): ImportStage | undefined {
  const { annotations } = claim.metadata ?? {};
  const hasPod = annotations?.[stateAnnotation.importPodName] === importPodNameOf(claim);
  return volumeModeOf(claim) === 'Block' && hasPod ? stageOf(annotations) : undefined;
}

function isImporter({ spec }: Pod): boolean {
  return spec?.containers.some(({ name }) => name === 'importer') ?? false;
}
