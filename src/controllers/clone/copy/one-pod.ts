import { ownerReference } from '../../../kube/apply.ts';
import type { Pod, Secret } from '../../../kube/builtin-resources.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { keyOf } from '../../../kube/key.ts';
import {
  COPY_VOLUME_REQUEST_VARIABLE,
  type CopyVolumeRequest,
  OWNER_UID_VARIABLE,
  type TransferTarget,
} from '../../../protocol/transfer-pod.ts';
import { marksFor } from '../../objects/made-for.ts';
import type { TransferSettings } from '../../runtime/settings.ts';
import { podTies } from '../../transfers/known-claim.ts';
import { transferPod } from '../../transfers/transfer-pod.ts';
import type { CloneSource } from '../source/source.ts';
import { holdsBase } from './changed-ranges.ts';
import { type HostCloneKeys, rangesIn, rangesMount, type RangesOfCopy, transferOf } from './objects.ts';

const ROLE = 'copy-volume';

/** Whether a pod has both volumes of a copy. */
export function hasBothVolumes(pod: Pod): boolean {
  return pod.spec?.containers.some(({ name }) => name === ROLE) ?? false;
}

/** Returns the Secret with what is known of the source's blocks; undefined where nothing is. */
export function rangesSecret(
  claim: PersistentVolumeClaim,
  keys: HostCloneKeys,
  ranges: RangesOfCopy,
): Secret | undefined {
  const stringData = rangesIn(ranges);
  if (Object.keys(stringData).length === 0) return undefined;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: { ...keys.targetSecret, ...marksFor(claim), ownerReferences: [ownerReference(claim)] },
    stringData,
  };
}

/** What distinguishes the pod that has both volumes. */
export interface OnePodOptions {
  readonly target: TransferTarget;
  readonly ranges: RangesOfCopy;
  /** The only node on which it can run; any where it is undefined. */
  readonly node: string | undefined;
  readonly restarts: number;
}

/** Returns the pod that has both volumes of a copy, the source's read-only; its name is that of the target's pod. */
export function podWithBothVolumes(
  claim: PersistentVolumeClaim,
  keys: HostCloneKeys,
  source: CloneSource,
  { target, ranges, node, restarts }: OnePodOptions,
  settings: TransferSettings,
): Pod {
  const request: CopyVolumeRequest = {
    sourceVolumeMode: source.volumeMode,
    target,
    transfer: transferOf(claim, source),
    ...(holdsBase(claim) && { holdsBase: true }),
  };
  const matchFields = [{ key: 'metadata.name', operator: 'In', values: [node ?? ''] }];
  return transferPod(
    {
      ...keys.targetPod,
      role: ROLE,
      env: { [COPY_VOLUME_REQUEST_VARIABLE]: JSON.stringify(request), [OWNER_UID_VARIABLE]: claim.metadata?.uid ?? '' },
      claim: { name: keyOf(claim).name, volumeMode: target.volumeMode, readOnly: false },
      source: { name: source.key.name, volumeMode: source.volumeMode },
      mounts: Object.keys(rangesIn(ranges)).length > 0 ? [rangesMount(keys.targetSecret, ranges)] : [],
      claimAnnotations: claim.metadata?.annotations ?? {},
      worksFor: claim,
      restarts,
      ...(node !== undefined && {
        affinity: {
          nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] } },
        },
      }),
      ...podTies(claim),
    },
    settings,
  );
}
