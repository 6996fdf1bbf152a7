import { type DataVolume, dataVolumes } from '../../../src/api/data-volume.ts';
import { type Pod, pods } from '../../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import type { ObjectKey } from '../../../src/kube/key.ts';
import { type ClaimOptions, dataVolume, untilSucceeded } from '../../support/data-volumes.ts';
import { follow } from '../../support/follow.ts';

const LONG_MILLISECONDS = 300_000;

/** Seconds that an import in a pod took, and the parts of them, which follow each other. */
export interface PodSeconds {
  /** From the creation of the DataVolume until it has succeeded. */
  readonly total: number;
  readonly untilPod: number;
  /** From then until its container is said to run, which the kubelet does a moment after it does. */
  readonly untilRunning: number;
  /** From then until it is said to have ended. */
  readonly running: number;
  readonly afterwards: number;
}

/**
 * Imports by a DataVolume, of which nobody else makes pods in its namespace meanwhile.
 *
 * @throws Error where the import fails
 */
export async function importInPod(
  client: KubeClient,
  key: ObjectKey,
  url: string,
  claim: ClaimOptions,
): Promise<PodSeconds> {
  const times = new Map<string, number>();
  const note = (what: string) => times.set(what, times.get(what) ?? performance.now());
  const ending = new AbortController();
  const earlier = new Set<string | undefined>();
  let hasBegun = false;
  const { ended } = await follow<Pod>(client, pods, ending.signal, (pod) => {
    if (!hasBegun) earlier.add(pod.metadata?.uid);
    if (pod.metadata?.namespace !== key.namespace || earlier.has(pod.metadata.uid)) return;
    note('pod');
    const state = pod.status?.containerStatuses?.[0]?.state;
    if (state?.running || state?.terminated) note('running');
    if (state?.terminated) note('ended');
  });
  try {
    hasBegun = true;
    const began = performance.now();
    await client.create<DataVolume>(dataVolumes, dataVolume(key, { http: { url } }, claim));
    await untilSucceeded(client, key, LONG_MILLISECONDS);
    const succeeded = performance.now();
    const [pod = NaN, running = NaN, done = NaN] = ['pod', 'running', 'ended'].map((what) => times.get(what));
    const seconds = [succeeded - began, pod - began, running - pod, done - running, succeeded - done];
    const [total = NaN, untilPod = NaN, untilRunning = NaN, ran = NaN, afterwards = NaN] = seconds.map(
      (ms) => ms / 1000,
    );
    return { total, untilPod, untilRunning, running: ran, afterwards };
  } finally {
    ending.abort();
    await ended;
  }
}
