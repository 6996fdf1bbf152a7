import { dataVolumes, type DataVolumeSpec } from '../../../src/api/data-volume.ts';
import { type Pod, pods } from '../../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../../src/kube/key.ts';
import { type ClaimOptions, dataVolume, untilSucceeded } from '../../support/data-volumes.ts';
import type { Environment } from '../../support/environment.ts';
import { until } from '../../support/until.ts';
import { podWithVolume } from '../../support/volume-content.ts';

/** A disk in a cluster, made for a measurement. */
export interface Disk {
  readonly key: ObjectKey;
  readonly claim: ClaimOptions;
}

const LONG_MILLISECONDS = 300_000;
const REFERENCE_VOLUME = 'reference';
const DEVICE = '/dev/volume';
const REFERENCE_DEVICE = '/dev/reference';

/** Makes a DataVolume, and waits for it. @returns the seconds from the one to the other */
export async function make(
  { client }: Environment,
  { key, claim }: Disk,
  source: DataVolumeSpec['source'],
): Promise<number> {
  const began = performance.now();
  await client.create(dataVolumes, dataVolume(key, source, claim));
  await untilSucceeded(client, key, LONG_MILLISECONDS);
  return (performance.now() - began) / 1000;
}

/**
 * Makes a disk with data that are not zeros, in pieces of 64 KiB all over it.
 *
 * @param mebibytes of the whole disk
 * @param data MiB of it that are not zeros
 */
export async function makeScattered(
  environment: Environment,
  disk: Disk,
  mebibytes: number,
  data: number,
): Promise<void> {
  await make(environment, disk, { blank: {} });
  const file = disk.claim.volumeMode === 'Block' ? DEVICE : '/volume/disk.img';
  const pieces = data * 16;
  // Each piece is other data, and a piece lies every so many blocks of 64 KiB.
  await inPod(environment, disk, [
    'node -e \'const fs = require("node:fs"), crypto = require("node:crypto");',
    `const file = fs.openSync("${file}", "r+"), size = ${mebibytes} * 16, pieces = ${pieces};`,
    'for (let i = 0; i < pieces; i++)',
    'fs.writeSync(file, crypto.randomBytes(65536), 0, 65536, Math.floor((i * size) / pieces) * 65536);',
    "fs.fsyncSync(file)'",
  ]);
}

/** Writes other data to a hundredth of a Block disk, in pieces of 64 KiB all over it. */
export async function changeHundredth(environment: Environment, disk: Disk, mebibytes: number): Promise<void> {
  await inPod(environment, disk, [
    'node -e \'const fs = require("node:fs"), crypto = require("node:crypto");',
    `const file = fs.openSync("${DEVICE}", "r+");`,
    `for (let at = 0; at < ${mebibytes} * 2 ** 20; at += 6553600)`,
    'fs.writeSync(file, crypto.randomBytes(65536), 0, 65536, at);',
    "fs.fsyncSync(file)'",
  ]);
}

/** Seconds that the usual tool takes to copy a disk onto another one of its size and class. */
export async function referenceSeconds(environment: Environment, disk: Disk): Promise<number> {
  const target = { ...disk, key: { ...disk.key, name: `${disk.key.name}-${REFERENCE_VOLUME}` } };
  await make(environment, target, { blank: {} });
  const copy =
    disk.claim.volumeMode === 'Block'
      ? `dd if=${DEVICE} of=${REFERENCE_DEVICE} bs=1M conv=sparse,fsync status=none`
      : 'cp --sparse=always --reflink=never /volume/disk.img /reference/copy.img && sync /reference/copy.img';
  const script = `read began rest < /proc/uptime; ${copy}; read ended rest < /proc/uptime; echo "$began $ended"`;
  const [began = 0, ended = NaN] = (await inPod(environment, disk, [script], target)).split(' ').map(Number);
  await environment.client.delete(dataVolumes, target.key);
  return ended - began;
}

/** Runs a script beside a disk, and beside another one where it is given. @returns what it printed */
async function inPod(environment: Environment, disk: Disk, script: string[], other?: Disk): Promise<string> {
  const { client } = environment;
  const key = { ...disk.key, name: `${disk.key.name}-pod` };
  const block = disk.claim.volumeMode === 'Block';
  const command = ['sh', '-c', `set -eu; ( ${script.join('\n')} ) > /dev/termination-log 2>&1`];
  const pod = podWithVolume(environment, key, { claim: disk.key.name, block, command, writable: true });
  await client.create(pods, other ? withReference(pod, other.key.name, block) : pod);
  const { exitCode, message = '' } = await until(
    client,
    pods,
    key,
    'it has ended',
    (found) => found?.status?.containerStatuses?.[0]?.state?.terminated,
    LONG_MILLISECONDS,
  );
  await client.delete(pods, key, { gracePeriodSeconds: 0 });
  await until(client, pods, key, 'it is gone', (found) => found === undefined);
  if (exitCode !== 0) throw new Error(`beside ${disk.key.name}: ${message}`);
  return message.trim();
}

function withReference(pod: Pod, claimName: string, block: boolean): Pod {
  const [container] = pod.spec?.containers ?? [];
  if (!container) return pod;
  if (block) container.volumeDevices?.push({ name: REFERENCE_VOLUME, devicePath: REFERENCE_DEVICE });
  else container.volumeMounts?.push({ name: REFERENCE_VOLUME, mountPath: '/reference' });
  pod.spec?.volumes?.push({ name: REFERENCE_VOLUME, persistentVolumeClaim: { claimName } });
  return pod;
}
