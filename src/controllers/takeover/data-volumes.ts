import { stateAnnotation } from '../../api/annotations.ts';
import { type DataVolume, dataVolume as schema } from '../../api/data-volume.ts';
import { hasStages } from '../../api/import-stages.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { keyOf, keyToString } from '../../kube/key.ts';
import { isBound } from '../claims/bound.ts';
import { sourceKindOf } from '../data-volume/source-kind.ts';
import { volumeModeOf } from '../transfers/transfer-target.ts';
import type { Contents } from './contents.ts';
import { type Fate, type Outlook, outlook } from './fate.ts';
import { judgeTransfer } from './transfers.ts';

type Verdict = readonly [fate: Fate, why: string];

/** Returns what becomes of each DataVolume and its claim. */
export function dataVolumeOutlooks(contents: Contents): Outlook[] {
  const claims = new Map(contents.claims.map((claim) => [keyToString(keyOf(claim)), claim]));
  return contents.dataVolumes.map((dataVolume) => {
    const claim = claims.get(keyToString(keyOf(dataVolume)));
    const [fate, why] = judge(contents, dataVolume, claim);
    return outlook(dataVolume, 'DataVolume', fate, why + remarkOn(dataVolume));
  });
}

function judge(contents: Contents, dataVolume: DataVolume, claim: PersistentVolumeClaim | undefined): Verdict {
  const { phase } = dataVolume.status ?? {};
  if (phase === 'Succeeded') return ['kept', claim ? 'has its data' : 'has succeeded; its claim is gone'];
  if (dataVolume.metadata.deletionTimestamp) return ['goes on', 'is being deleted'];
  if (claim && isBound(claim) && claim.spec?.dataSourceRef) return ['kept', 'its claim has its data'];
  const from = namespaceOfSource(contents, dataVolume);
  if (from !== undefined) {
    return [
      'blocked',
      `clones from namespace "${from}", and the token by which CDI knows that this is allowed is not believed: wait until it has succeeded, or delete it and make it anew afterwards`,
    ];
  }
  const kind = sourceKindOf(dataVolume.spec);
  if (kind === 'external-population') return ['goes on', 'is filled by somebody else'];
  if (!claim) return ['goes on', 'has no claim yet'];
  if (hasStages(dataVolume.spec)) return judgeStages(claim, contents);
  return judgeTransfer(contents, claim, kind);
}

/** What a Filesystem volume holds between two stages is only recorded by Diskpress. */
function judgeStages(claim: PersistentVolumeClaim, contents: Contents): Verdict {
  const isBegun = [
    claim,
    ...contents.claims.filter(({ metadata }) => metadata?.name === `prime-${claim.metadata?.uid}`),
  ]
    .flatMap(({ metadata }) => Object.keys(metadata?.annotations ?? {}))
    .some((name) => name.startsWith(`${stateAnnotation.checkpointCopiedPrefix}.`));
  if (!isBegun) return judgeTransfer(contents, claim, 'import');
  if (volumeModeOf(claim) === 'Block') return ['goes on', 'the next stage is imported onto what CDI has brought'];
  return [
    'blocked',
    'is between two stages, of which CDI keeps no record beside the disk: have CDI import the final one, or delete it and make it anew afterwards',
  ];
}

/** Returns the namespace that a DataVolume clones from, where that is another one than its own. */
function namespaceOfSource({ dataSources }: Contents, { metadata, spec }: DataVolume): string | undefined {
  const own = metadata.namespace;
  const { source, sourceRef } = spec;
  const named = source?.pvc?.namespace ?? source?.snapshot?.namespace;
  const reference = sourceRef && { namespace: sourceRef.namespace ?? own, name: sourceRef.name };
  const followed = dataSources.find((each) => {
    return each.metadata.namespace === reference?.namespace && each.metadata.name === reference?.name;
  })?.spec.source;
  const all = [named, reference?.namespace, followed?.pvc?.namespace, followed?.snapshot?.namespace];
  return all.find((each) => each && each !== own);
}

/** Says what is not valid any more, which matters only where somebody changes or copies the object. */
function remarkOn(dataVolume: DataVolume): string {
  const { error } = schema.shape.spec.safeParse(dataVolume.spec);
  const [issue] = error?.issues ?? [];
  if (!issue) return '';
  return `; one like it could not be made again (${['spec', ...issue.path].join('.')}: ${issue.message})`;
}
