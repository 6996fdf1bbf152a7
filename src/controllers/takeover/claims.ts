import { populationAnnotation } from '../../api/annotations.ts';
import { CDI_GROUP } from '../../api/group.ts';
import { controllerOf } from '../../kube/apply.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { isTemporaryClaimName } from '../../protocol/object-names.ts';
import { isBound } from '../claims/bound.ts';
import { isImportClaim } from '../import/importer/request.ts';
import { isLeftByCdi } from '../objects/left-by-cdi.ts';
import { readReport } from '../transfers/transfer-report.ts';
import { isUploadClaim } from '../upload/server/request.ts';
import type { Contents } from './contents.ts';
import { type Fate, type Outlook, outlook } from './fate.ts';
import { judgeTransfer } from './transfers.ts';

const populators: Readonly<Record<string, 'import' | 'upload' | 'clone'>> = {
  VolumeImportSource: 'import',
  VolumeUploadSource: 'upload',
  VolumeCloneSource: 'clone',
};

/** Returns what becomes of the claims that CDI fills without a DataVolume, and of those that it has left over. */
export function claimOutlooks(contents: Contents): Outlook[] {
  const uids = new Set(contents.claims.map(({ metadata }) => metadata?.uid));
  return contents.claims.flatMap((claim) => {
    const name = claim.metadata?.name ?? '';
    if (isTemporaryClaimName(name)) {
      const isNeeded = [...uids].some((uid) => uid !== undefined && name.includes(uid));
      const why = 'was made on the way to a claim that is gone, and nobody removes it: delete it';
      return isNeeded || !isLeftByCdi(claim) ? [] : [outlook(claim, 'PersistentVolumeClaim', 'kept', why)];
    }
    const kind = kindOf(claim);
    if (!kind || controllerOf(claim)?.kind === 'DataVolume') return [];
    return [outlook(claim, 'PersistentVolumeClaim', ...judge(contents, claim, kind))];
  });
}

function judge(
  contents: Contents,
  claim: PersistentVolumeClaim,
  kind: 'import' | 'upload' | 'clone',
): readonly [fate: Fate, why: string] {
  const isComplete = claim.spec?.dataSourceRef
    ? isBound(claim)
    : readReport(claim.metadata?.annotations)?.podPhase === 'Succeeded';
  if (isComplete) return ['kept', 'has its data'];
  const request = claim.metadata?.annotations?.[populationAnnotation.cloneRequest] ?? '';
  const [from = ''] = request.split('/');
  if (kind === 'clone' && request.includes('/') && from !== claim.metadata?.namespace)
    return ['blocked', `is copied from namespace "${from}": wait until that is done, or use a DataVolume afterwards`];
  return judgeTransfer(contents, claim, kind);
}

function kindOf(claim: PersistentVolumeClaim): 'import' | 'upload' | 'clone' | undefined {
  const { apiGroup, kind = '' } = claim.spec?.dataSourceRef ?? {};
  if (apiGroup === CDI_GROUP) return populators[kind];
  if (isImportClaim(claim)) return 'import';
  if (claim.metadata?.annotations?.[populationAnnotation.cloneRequest]) return 'clone';
  return isUploadClaim(claim) ? 'upload' : undefined;
}
