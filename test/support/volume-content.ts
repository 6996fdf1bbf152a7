import { persistentVolumeClaims, type Pod, pods } from '../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../src/kube/key.ts';
import type { Environment } from './environment.ts';
import { until } from './until.ts';

/** What is in a volume, read by a pod that mounts it. Sizes are in bytes. */
export interface VolumeContent {
  /** Of the first `length` bytes of the disk. */
  readonly sha256: string;
  /** Whether what follows them is zeros, as far as it was looked at. */
  readonly zerosAfter: boolean;
  /** Of the disk image on a Filesystem volume. */
  readonly file?: { readonly size: number; readonly allocated: number; readonly mode: string; readonly group: number };
}

/** How much is read behind the disk's own data. */
const TAIL = '64M';
const DISK_IMAGE = '/volume/disk.img';
const DEVICE = '/dev/volume';

/** Reads the disk in a claim, with a restricted pod that mounts it; the pod is gone afterwards. */
export async function readVolume(environment: Environment, claim: ObjectKey, length: number): Promise<VolumeContent> {
  const volume = await environment.client.get(persistentVolumeClaims, claim);
  const block = volume?.spec?.volumeMode === 'Block';
  const disk = block ? DEVICE : DISK_IMAGE;
  const hash = `set -- $(head -c ${length} ${disk} | sha256sum); sha256=$1`;
  const after = `zeros=$(tail -c +${length + 1} ${disk} | head -c ${TAIL} | tr -d '\\000' | head -c 1 | wc -c)`;
  const file = block ? 'file=' : `file=$(stat -c '%s %b %a %g' ${disk})`;
  const answer = await runWithVolume(environment, claim, block, [hash, after, file, 'echo "$sha256 $zeros $file"']);
  const [sha256 = '', zeros, size, blocks, mode = '', group] = answer.trim().split(' ');
  return {
    sha256,
    zerosAfter: zeros === '0',
    ...(block ? {} : { file: { size: Number(size), allocated: Number(blocks) * 512, mode, group: Number(group) } }),
  };
}

/** Writes a few bytes somewhere into the disk in a claim. */
export async function writeVolume(
  environment: Environment,
  claim: ObjectKey,
  offset: number,
  text: string,
): Promise<void> {
  const volume = await environment.client.get(persistentVolumeClaims, claim);
  const block = volume?.spec?.volumeMode === 'Block';
  const disk = block ? DEVICE : DISK_IMAGE;
  const write = `printf %s '${text}' | dd of=${disk} bs=1 seek=${offset} conv=notrunc,fsync status=none`;
  await runWithVolume(environment, claim, block, [write], true);
}

/** A pod that satisfies the restricted Pod Security Standard and mounts a claim, as a virtual machine's would. */
export function podWithVolume(
  environment: Environment,
  key: ObjectKey,
  options: { claim: string; block: boolean; command: string[]; writable?: boolean },
): Pod {
  const { claim, block, command, writable = false } = options;
  return {
    metadata: { ...key },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 107,
        runAsGroup: 107,
        fsGroup: 107,
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: 'consumer',
          image: environment.image,
          imagePullPolicy: 'IfNotPresent',
          command,
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          ...(block
            ? { volumeDevices: [{ name: 'volume', devicePath: DEVICE }] }
            : { volumeMounts: [{ name: 'volume', mountPath: '/volume', readOnly: !writable }] }),
        },
      ],
      volumes: [{ name: 'volume', persistentVolumeClaim: { claimName: claim } }],
    },
  };
}

let count = 0;

async function runWithVolume(
  environment: Environment,
  claim: ObjectKey,
  block: boolean,
  steps: string[],
  writable = false,
): Promise<string> {
  const { client } = environment;
  count += 1;
  const key = { namespace: claim.namespace, name: `reader-${process.pid}-${count}` };
  const script = ['set -eu', ...steps].join('\n');
  const command = ['sh', '-c', `( ${script}\n) > /dev/termination-log 2>&1`];
  await client.create(pods, podWithVolume(environment, key, { claim: claim.name, block, command, writable }));
  try {
    const ended = await until(client, pods, key, 'it has read the volume', (pod) => {
      return pod?.status?.containerStatuses?.[0]?.state?.terminated;
    });
    if (ended.exitCode !== 0) throw new Error(`reading claim ${claim.name} failed: ${ended.message}`);
    return ended.message ?? '';
  } finally {
    await client.delete(pods, key, { gracePeriodSeconds: 0 });
    await until(client, pods, key, 'it is gone', (pod) => pod === undefined);
  }
}
