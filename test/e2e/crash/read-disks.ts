import { pods } from '../../../src/kube/builtin-resources.ts';
import type { Environment } from '../../support/environment.ts';
import { until } from '../../support/until.ts';
import { podWithVolume } from '../../support/volume-content.ts';

/** What fits into a termination message, with room to spare. */
const CLAIMS_PER_POD = 30;

let readers = 0;

/** The SHA-256 of the first bytes of the disk image in each of these claims, by the claim's name. */
export async function readDisks(
  environment: Environment,
  namespace: string,
  claims: readonly string[],
  length: number,
): Promise<Map<string, string>> {
  const sums = new Map<string, string>();
  for (let at = 0; at < claims.length; at += CLAIMS_PER_POD) {
    const some = claims.slice(at, at + CLAIMS_PER_POD);
    readers++;
    const read = await readSome(environment, { namespace, name: `reader-of-many-${readers}` }, some, length);
    some.forEach((claim, index) => sums.set(claim, read[index] ?? ''));
  }
  return sums;
}

async function readSome(
  environment: Environment,
  key: { namespace: string; name: string },
  claims: readonly string[],
  length: number,
): Promise<string[]> {
  const { client } = environment;
  const read = `head -c ${length} "$volume/disk.img" | sha256sum | cut -d ' ' -f 1`;
  const script = `set -eu; for index in $(seq 0 ${claims.length - 1}); do volume=/volumes/$index; ${read}; done`;
  const command = ['sh', '-c', `( ${script} ) > /dev/termination-log 2>&1`];
  const pod = podWithVolume(environment, key, { claim: '', block: false, command });
  const [container] = pod.spec?.containers ?? [];
  if (!pod.spec || !container) throw new Error('a pod has a container');
  pod.spec.volumes = claims.map((claimName, index) => ({ name: `v${index}`, persistentVolumeClaim: { claimName } }));
  container.volumeMounts = claims.map((_, index) => ({
    name: `v${index}`,
    mountPath: `/volumes/${index}`,
    readOnly: true,
  }));
  await client.create(pods, pod);
  try {
    const ended = await until(client, pods, key, 'it has read the volumes', (found) => {
      return found?.status?.containerStatuses?.[0]?.state?.terminated;
    });
    if (ended.exitCode !== 0) throw new Error(`reading ${claims.join(', ')} failed: ${ended.message}`);
    return (ended.message ?? '').trim().split('\n');
  } finally {
    await client.delete(pods, key, { gracePeriodSeconds: 0 });
    await until(client, pods, key, 'it is gone', (found) => found === undefined);
  }
}
