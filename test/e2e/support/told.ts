import { type DataVolume, dataVolumes } from '../../../src/api/data-volume.ts';
import type { ObjectKey } from '../../../src/kube/key.ts';
import { conditionOf } from '../../support/data-volumes.ts';
import { until } from '../../support/until.ts';
import type { Suite } from './suite.ts';

/** What a condition says that tells nobody what is waited for. */
const NOTHING = new Set(['', 'Nothing has been started yet']);

/** How a DataVolume has ended, and what it told on the way. */
export interface Told {
  readonly object: DataVolume;
  /** The messages of its condition Running, in their order. */
  readonly messages: readonly string[];
  /** Milliseconds of the longest time in which it did not say what it waits for. */
  readonly longestSilence: number;
}

/** Follows a DataVolume from its creation until it has succeeded or failed. */
export async function followTold(suite: Suite, key: ObjectKey, timeout: number): Promise<Told> {
  const messages: string[] = [];
  let silentSince: number | undefined = performance.now();
  let longestSilence = 0;
  const object = await until(
    suite.client,
    dataVolumes,
    key,
    'it has ended',
    (found) => {
      const now = performance.now();
      const message = conditionOf(found, 'Running')?.message ?? '';
      if (silentSince !== undefined) longestSilence = Math.max(longestSilence, now - silentSince);
      silentSince = NOTHING.has(message) ? (silentSince ?? now) : undefined;
      if (messages.at(-1) !== message) messages.push(message);
      return ['Succeeded', 'Failed'].includes(found?.status?.phase ?? '') ? found : undefined;
    },
    timeout,
  );
  return { object, messages, longestSilence };
}
