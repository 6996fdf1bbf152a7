import { populationAnnotation, stateAnnotation, userAnnotation } from '../../api/annotations.ts';
import { APPLY_STORAGE_PROFILE_LABEL } from '../../api/labels.ts';
import { parseQuantity } from '../../api/quantity.ts';
import { volumeForDisk } from '../../base/filesystem-sizes.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../kube/builtin-resources.ts';
import type { NewTarget, TargetKind, TargetState } from './target.ts';

/** A claim that is annotated as the target of an upload, or populated from a VolumeUploadSource. */
export const claimTarget: TargetKind<PersistentVolumeClaim> = {
  resource: persistentVolumeClaims,
  object(key, wanted) {
    const { contentType, storageClassName, accessMode = 'ReadWriteOnce', volumeMode, bindsImmediately } = wanted;
    return {
      metadata: {
        ...key,
        labels: { [APPLY_STORAGE_PROFILE_LABEL]: 'true' },
        annotations: {
          [populationAnnotation.uploadTarget]: '',
          [populationAnnotation.contentType]: contentType,
          ...(bindsImmediately ? { [userAnnotation.bindImmediateRequested]: 'true' } : {}),
        },
      },
      spec: {
        accessModes: [accessMode],
        resources: { requests: { storage: claimSize(wanted) } },
        ...(storageClassName === undefined ? {} : { storageClassName }),
        ...(volumeMode === undefined ? {} : { volumeMode }),
      },
    };
  },
  unfitness,
  state: claimState,
};

function claimSize({ size, contentType, volumeMode, filesystemOverhead }: NewTarget): string {
  if (filesystemOverhead === undefined || contentType === 'archive' || volumeMode === 'Block') return size;
  return String(volumeForDisk(parseQuantity(size), filesystemOverhead));
}

/** Says why a claim cannot be uploaded into; undefined where it can. */
function unfitness({ metadata, spec }: PersistentVolumeClaim, wanted: NewTarget['contentType']): string | undefined {
  const annotations = metadata?.annotations ?? {};
  const isTarget =
    annotations[populationAnnotation.uploadTarget] !== undefined || spec?.dataSourceRef?.kind === 'VolumeUploadSource';
  if (!isTarget) {
    return (
      `exists, and is not for uploads: name another, or, if its content may be lost, annotate it with ` +
      `${populationAnnotation.uploadTarget}=""`
    );
  }
  const contentType = annotations[populationAnnotation.contentType] ?? wanted;
  if (contentType !== wanted) {
    return `exists, and its annotation ${populationAnnotation.contentType} is ${contentType}, not ${wanted}: name another`;
  }
  if (annotations[stateAnnotation.podPhase] === 'Succeeded') {
    return 'has its data already: name another, or delete it first';
  }
  return undefined;
}

/** Returns how far a claim is, by the annotations that the controllers write. Pure. */
export function claimState({ metadata, status }: PersistentVolumeClaim): TargetState {
  const annotations = metadata?.annotations ?? {};
  const phase = annotations[stateAnnotation.podPhase];
  const message =
    annotations[stateAnnotation.conditionRunningMessage] ||
    annotations[stateAnnotation.conditionBoundMessage] ||
    `the claim is ${status?.phase ?? 'new'}`;
  const claimName = metadata?.name ?? '';
  if (phase === 'Succeeded') return { stage: 'succeeded', message, claimName };
  if (phase === 'Failed') return { stage: 'failed', message, claimName };
  const isReady = annotations[stateAnnotation.podReady] === 'true';
  return { stage: isReady ? 'ready' : 'preparing', message, claimName };
}
