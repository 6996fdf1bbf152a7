import { type DataVolume, dataVolumes, type DataVolumeSpec } from '../../src/api/data-volume.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { ObjectKey } from '../../src/kube/key.ts';
import { until } from './until.ts';

/** What of a claim matters to most tests. */
export interface ClaimOptions {
  readonly storageClassName?: string | undefined;
  readonly volumeMode?: 'Filesystem' | 'Block' | undefined;
  /** A quantity; 200Mi unless given. */
  readonly size?: string | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** A DataVolume whose claim is given by `spec.pvc`. */
export function dataVolume(key: ObjectKey, source: DataVolumeSpec['source'], options: ClaimOptions = {}): DataVolume {
  const { storageClassName, volumeMode = 'Filesystem', size = '200Mi', annotations } = options;
  return {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataVolume',
    metadata: { ...key, ...(annotations ? { annotations: { ...annotations } } : {}) },
    spec: {
      source,
      pvc: {
        accessModes: ['ReadWriteOnce'],
        volumeMode,
        resources: { requests: { storage: size } },
        ...(storageClassName === undefined ? {} : { storageClassName }),
      },
    },
  };
}

/** Resolves to the DataVolume once it has succeeded; rejects at once when it fails. */
export function untilSucceeded(client: KubeClient, key: ObjectKey, timeout?: number): Promise<DataVolume> {
  const check = (found: DataVolume | undefined) => {
    if (found?.status?.phase === 'Failed') {
      throw new Error(`DataVolume ${key.namespace}/${key.name} failed: ${conditionOf(found, 'Running')?.message}`);
    }
    return found?.status?.phase === 'Succeeded' ? found : undefined;
  };
  return until(client, dataVolumes, key, 'it succeeds', check, timeout);
}

/** A condition of a DataVolume. */
export function conditionOf(object: DataVolume | undefined, type: 'Bound' | 'Running' | 'Ready') {
  return object?.status?.conditions?.find((condition) => condition.type === type);
}
