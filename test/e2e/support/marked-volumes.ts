import { persistentVolumeClaims, persistentVolumes, type Pod, pods } from '../../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../../src/kube/key.ts';
import type { Environment } from '../../support/environment.ts';
import { NotInTime, until } from '../../support/until.ts';
import { podWithVolume } from '../../support/volume-content.ts';
import { makeClaim, runInVolume } from './volumes.ts';

/** Of each claim that is made here; small, because each is searched for what must not be in it. */
export const MARKED_SIZE = '32Mi';
/** The answers must fit into a termination message. */
const CLAIMS_PER_POD = 30;
const ATTEMPTS = 3;
const SEARCH_MILLISECONDS = 40_000;

interface MarkedOptions {
  readonly storageClassName: string | undefined;
  readonly volumeMode?: 'Filesystem' | 'Block' | undefined;
  /** Letters, digits and hyphens. */
  readonly marker: string;
}

/** Makes a claim with a disk in it that holds a marker. */
export async function makeMarked(environment: Environment, key: ObjectKey, options: MarkedOptions): Promise<void> {
  const { marker, ...claim } = options;
  await makeClaim(environment, key, { ...claim, size: MARKED_SIZE });
  await mark(environment, key, marker, options.volumeMode);
}

/** Writes a marker into the disk of a claim, in place of the one that it had. */
export async function mark(
  environment: Environment,
  key: ObjectKey,
  marker: string,
  volumeMode?: 'Filesystem' | 'Block',
): Promise<void> {
  const disk = volumeMode === 'Block' ? '/dev/volume' : '/volume/disk.img';
  const grow = volumeMode === 'Block' ? '' : `truncate -s 16M ${disk}; `;
  const text = `${grow}printf '%-64s' '${marker}' | dd of=${disk} bs=1 seek=1048576 conv=notrunc,fsync status=none`;
  await runInVolume(environment, key, { text, volumeMode, writable: true });
}

/** The names of the claims of a namespace that hold a marker, of those whose volume is theirs. */
export async function claimsWith(environment: Environment, namespace: string, marker: string): Promise<string[]> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await searchAll(environment, namespace, marker);
    } catch (error) {
      // A pod never starts with a claim that has gone since, such as one that the controllers worked on.
      if (!(error instanceof NotInTime) || attempts === ATTEMPTS) throw error;
    }
  }
}

async function searchAll(environment: Environment, namespace: string, marker: string): Promise<string[]> {
  const { client } = environment;
  const owners = new Set((await client.list(persistentVolumes)).map(({ spec }) => spec?.claimRef?.uid));
  const claims = (await client.list(persistentVolumeClaims, { namespace }))
    .filter(({ metadata, status }) => owners.has(metadata?.uid) && status?.phase === 'Bound')
    .filter(({ metadata }) => !metadata?.deletionTimestamp)
    .map(({ metadata, spec }) => ({ name: metadata?.name ?? '', block: spec?.volumeMode === 'Block' }));
  const found: string[] = [];
  for (let at = 0; at < claims.length; at += CLAIMS_PER_POD) {
    found.push(...(await search(environment, namespace, claims.slice(at, at + CLAIMS_PER_POD), marker)));
  }
  return found.sort();
}

interface Searched {
  readonly name: string;
  readonly block: boolean;
}

let searches = 0;

/** Looks into all of the claims with one pod. */
async function search(
  environment: Environment,
  namespace: string,
  claims: readonly Searched[],
  marker: string,
): Promise<string[]> {
  const { client } = environment;
  searches++;
  const key = { namespace, name: `search-${process.pid}-${searches}` };
  const paths = claims.map(({ block }, index) => (block ? `/dev/volume-${index}` : `/volumes/${index}`));
  // 1 is that there is none; all above are failures to look.
  const script = `for path in ${paths.join(' ')}; do
    grep -rqazF --exclude-dir=lost+found -- '${marker}' $path && code=0 || code=$?; echo $code; done`;
  const command = ['sh', '-c', `( ${script}\n) > /dev/termination-log 2>&1`];
  const pod = podWithVolume(environment, key, { claim: '', block: false, command });
  const [container] = pod.spec?.containers ?? [];
  if (!pod.spec || !container) throw new Error('a pod has a container');
  pod.spec.volumes = claims.map(({ name }, index) => ({
    name: `v${index}`,
    persistentVolumeClaim: { claimName: name },
  }));
  const all = claims.map(({ block }, index) => ({ name: `v${index}`, block, path: paths[index] ?? '' }));
  container.volumeMounts = all.filter(({ block }) => !block).map(({ name, path }) => ({ name, mountPath: path }));
  container.volumeDevices = all.filter(({ block }) => block).map(({ name, path }) => ({ name, devicePath: path }));
  await client.create(pods, pod);
  try {
    const isOver = (found: Pod | undefined) => found?.status?.containerStatuses?.[0]?.state?.terminated;
    const ended = await until(client, pods, key, 'it has searched the volumes', isOver, SEARCH_MILLISECONDS);
    const codes = (ended.message ?? '').trim().split('\n');
    if (codes.length !== claims.length || codes.some((code) => code !== '0' && code !== '1')) {
      throw new Error(`claims ${claims.map(({ name }) => name).join(', ')} could not be searched: ${ended.message}`);
    }
    return claims.filter((_, index) => codes[index] === '0').map(({ name }) => name);
  } finally {
    await client.delete(pods, key, { gracePeriodSeconds: 0 });
    await until(client, pods, key, 'it is gone', (found) => found === undefined);
  }
}
