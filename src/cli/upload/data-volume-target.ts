import { userAnnotation } from '../../api/annotations.ts';
import { type DataVolume, dataVolumes } from '../../api/data-volume.ts';
import { CDI_API_VERSION } from '../../api/group.ts';
import { TransferError } from '../../base/errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ObjectKey } from '../../kube/key.ts';
import { clusterFailures } from './cluster-failures.ts';
import type { NewTarget, TargetStage, TargetState, UploadTarget } from './target.ts';

/** A DataVolume with the source `upload`. */
export class DataVolumeTarget implements UploadTarget {
  readonly shown: string;
  readonly #client: KubeClient;
  readonly #key: ObjectKey;

  constructor(client: KubeClient, key: ObjectKey) {
    this.shown = `DataVolume ${key.namespace}/${key.name}`;
    this.#client = client;
    this.#key = key;
  }

  async exists(contentType: NewTarget['contentType'], signal: AbortSignal): Promise<boolean> {
    const found = await this.#get(signal);
    if (found === undefined) return false;
    const unfit = unfitness(found, contentType);
    if (unfit !== undefined) throw new TransferError('InvalidRequest', `${this.shown} ${unfit}`);
    return true;
  }

  async create(wanted: NewTarget, signal: AbortSignal): Promise<void> {
    const { size, contentType, storageClassName, accessMode, volumeMode, bindsImmediately } = wanted;
    await clusterFailures(`making ${this.shown}`, () =>
      this.#client.create(
        dataVolumes,
        {
          apiVersion: CDI_API_VERSION,
          kind: 'DataVolume',
          metadata: {
            ...this.#key,
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
        },
        { signal },
      ),
    );
  }

  async bindImmediately(signal: AbortSignal): Promise<void> {
    const metadata = { annotations: { [userAnnotation.bindImmediateRequested]: 'true' } };
    await clusterFailures(`annotating ${this.shown}`, () =>
      this.#client.mergePatch(dataVolumes, this.#key, { metadata }, { signal }),
    );
  }

  async state(signal: AbortSignal): Promise<TargetState> {
    const found = await this.#get(signal);
    if (found === undefined) throw new TransferError('NotFound', `${this.shown} was deleted`);
    return dataVolumeState(found);
  }

  #get(signal: AbortSignal): Promise<DataVolume | undefined> {
    return clusterFailures(`reading ${this.shown}`, () => this.#client.get(dataVolumes, this.#key, { signal }));
  }
}

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

const stages: Readonly<Record<string, TargetStage>> = {
  WaitForFirstConsumer: 'unconsumed',
  PendingPopulation: 'unconsumed',
  UploadReady: 'ready',
  Succeeded: 'succeeded',
  Failed: 'failed',
};

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
