import { persistentVolumeClaims, pods } from '../../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../../src/kube/key.ts';
import type { Environment } from '../../support/environment.ts';
import { until } from '../../support/until.ts';
import { podWithVolume } from '../../support/volume-content.ts';

export interface VolumeOptions {
  readonly storageClassName: string | undefined;
  readonly volumeMode?: 'Filesystem' | 'Block' | undefined;
  /** A quantity. */
  readonly size: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Makes a claim without a DataVolume. */
export async function makeClaim({ client }: Environment, key: ObjectKey, options: VolumeOptions): Promise<void> {
  const { storageClassName, volumeMode = 'Filesystem', size, annotations } = options;
  await client.create(persistentVolumeClaims, {
    metadata: { ...key, ...(annotations ? { annotations: { ...annotations } } : {}) },
    spec: { accessModes: ['ReadWriteOnce'], storageClassName, volumeMode, resources: { requests: { storage: size } } },
  });
}

export interface Script {
  /** For `sh`: the volume is at /volume, a device at /dev/volume. */
  readonly text: string;
  readonly volumeMode?: 'Filesystem' | 'Block' | undefined;
  readonly writable?: boolean;
  /** The node to run on. */
  readonly nodeName?: string | undefined;
}

let count = 0;

/**
 * Runs a script in a pod that mounts a claim; the pod is gone afterwards. Resolves to what the script says, 4 KiB at
 * most.
 */
export async function runInVolume(environment: Environment, claim: ObjectKey, script: Script): Promise<string> {
  const { text, volumeMode, writable = false, nodeName } = script;
  count += 1;
  const key = { namespace: claim.namespace, name: `script-${process.pid}-${count}` };
  const command = ['sh', '-c', `set -eu; ( ${text}\n) > /dev/termination-log 2>&1`];
  const pod = podWithVolume(environment, key, { claim: claim.name, block: volumeMode === 'Block', command, writable });
  if (nodeName) Object.assign(pod.spec ?? {}, { nodeSelector: { 'kubernetes.io/hostname': nodeName } });
  const { client } = environment;
  await client.create(pods, pod);
  try {
    const ended = await until(client, pods, key, 'its script has ended', (found) => {
      return found?.status?.containerStatuses?.[0]?.state?.terminated;
    });
    if (ended.exitCode !== 0) throw new Error(`the script in claim ${claim.name} failed: ${ended.message}`);
    return (ended.message ?? '').trim();
  } finally {
    await client.delete(pods, key, { gracePeriodSeconds: 0 });
    await until(client, pods, key, 'it is gone', (found) => found === undefined);
  }
}
