import { userAnnotation } from '../../api/annotations.ts';
import { type DataVolume, dataVolumes } from '../../api/data-volume.ts';
import { CDI_API_VERSION } from '../../api/group.ts';
import type { NewTarget, TargetKind, TargetStage, TargetState } from './target.ts';

const stages: Readonly<Record<string, TargetStage>> = {
  WaitForFirstConsumer: 'unconsumed',
  PendingPopulation: 'unconsumed',
  UploadReady: 'ready',
  Succeeded: 'succeeded',
  Failed: 'failed',
};

/** A DataVolume with the source `upload`. */
export const dataVolumeTarget: TargetKind<DataVolume> = {
  resource: dataVolumes,
  object(key, { size, contentType, storageClassName, accessMode, volumeMode, bindsImmediately }) {
    return {
      apiVersion: CDI_API_VERSION,
      kind: 'DataVolume',
      metadata: {
        ...key,
        ...(bindsImmediately ? { annotations: { [userAnnotation.bindImmediateRequested]: 'true' } } : {}),
      },
      spec: {
        source: { upload: {} },
        contentType,
        storage: {
          resources: { requests: { storage: size } },
          ...(storageClassName === undefined ? {} : { storageClassName }),
          ...(accessMode === undefined ? {} : { accessModes: [accessMode] }),
          ...(volumeMode === undefined ? {} : { volumeMode }),
        },
      },
    };
  },
  unfitness,
  state: dataVolumeState,
};

/** Says why a DataVolume cannot be uploaded into; undefined where it can. */
function unfitness({ spec, status }: DataVolume, contentType: NewTarget['contentType']): string | undefined {
  if (spec.source?.upload === undefined) {
    return 'exists, and is not for uploads (its spec has no source.upload): name another, or delete it first';
  }
  if ((spec.contentType ?? 'kubevirt') !== contentType) {
    return contentType === 'archive'
      ? 'exists, and is for a disk image, not for an archive: leave out --archive, or name another'
      : 'exists, and is for an archive, not for a disk image: add --archive, or name another';
  }
  if (status?.phase === 'Succeeded') return 'has its data already: name another, or delete it first';
  return undefined;
}

/** Returns how far a DataVolume is. Pure. */
export function dataVolumeState({ metadata, status }: DataVolume): TargetState {
  const { phase = '', conditions = [] } = status ?? {};
  const messages = ['Running', 'Bound', 'Ready'].map((type) => {
    return conditions.find((condition) => condition.type === type && condition.status !== 'True')?.message;
  });
  return {
    stage: stages[phase] ?? 'preparing',
    message: messages.find(Boolean) ?? (phase === '' ? 'no controller has seen it yet' : phase),
    claimName: status?.claimName || (metadata.name ?? ''),
  };
}
