import { join } from 'node:path';
import { stateAnnotation } from '../../src/api/annotations.ts';
import { dataVolumes } from '../../src/api/data-volume.ts';
import { persistentVolumeClaims, pods } from '../../src/kube/builtin-resources.ts';
import type { Log } from '../cluster/commands.ts';
import { conditionOf } from '../support/data-volumes.ts';
import type { Environment } from '../support/environment.ts';
import type { PhaseJournal } from '../support/phase-journal.ts';
import type { Sources } from '../support/sources.ts';
import { until } from '../support/until.ts';
import { podWithVolume, readVolume } from '../support/volume-content.ts';
import { upload } from './upload.ts';
import type { DemoVolume } from './volumes.ts';

/** A line of the table at the end. */
export interface Shown {
  readonly volume: DemoVolume;
  /** How the claim was populated. */
  readonly how: string;
  /** `ImportScheduled 0.8, ImportInProgress 1.9`, in seconds. */
  readonly phases: string;
  /** Seconds from its creation to its last phase. */
  readonly seconds: number;
  /** That were compared. */
  readonly bytes: number | undefined;
  readonly verdict: string;
  readonly asExpected: boolean;
}

const TIMEOUT_MILLISECONDS = 180_000;

/** Makes a DataVolume, waits for what becomes of it, and looks into its claim. */
export async function show(
  environment: Environment,
  sources: Sources,
  journal: PhaseJournal,
  volume: DemoVolume,
  storageClassName: string,
  log: Log,
): Promise<Shown> {
  const { client } = environment;
  const key = { namespace: volume.namespace, name: volume.name };
  await client.create(dataVolumes, volume.object(sources, storageClassName));
  const began = performance.now();
  if (volume.waitsIn) {
    await until(client, dataVolumes, key, `it is ${volume.waitsIn}`, (found) => {
      return found?.status?.phase === volume.waitsIn;
    });
  }
  if (volume.uploads) await upload(environment, key, join(sources.disk.folder, volume.uploads));
  const consumer = volume.waitsIn && (await startConsumer(environment, volume));
  const ended = await until(
    client,
    dataVolumes,
    key,
    'it has ended',
    (found) => (['Succeeded', 'Failed'].includes(found?.status?.phase ?? '') ? found : undefined),
    TIMEOUT_MILLISECONDS,
  );
  const seconds = (performance.now() - began) / 1000;
  if (consumer) await client.delete(pods, consumer, { gracePeriodSeconds: 0 });
  const claim = await client.get(persistentVolumeClaims, key);
  const annotations = claim?.metadata?.annotations ?? {};
  const cloneType = annotations[stateAnnotation.cloneType];
  const fallback = annotations[stateAnnotation.cloneFallbackReason];
  const how = [
    cloneType ?? (volume.uploads ? 'upload' : 'import'),
    ...(claim?.spec?.dataSourceRef ? [] : ['direct']),
    ...(fallback && fallback !== 'NoPopulator' ? [fallback] : []),
  ].join(', ');
  const line = { volume, how, seconds, phases: describePhases(journal, volume), bytes: undefined };
  const message = conditionOf(ended, 'Running')?.message ?? '';
  const { expected } = volume;
  if (expected.outcome === 'failed') {
    const asExpected = ended.status?.phase === 'Failed' && expected.message.test(message);
    return {
      ...line,
      verdict: asExpected ? `failed, as expected: ${message}` : `NOT as expected: ${message}`,
      asExpected,
    };
  }
  if (ended.status?.phase === 'Failed') return { ...line, verdict: `FAILED: ${message}`, asExpected: false };
  const { virtualSize, sha256 } = sources.disk;
  log('    comparing what the volume has, in a pod');
  const content = await readVolume(environment, key, expected.content === 'disk' ? virtualSize : 0);
  const right = content.zerosAfter && (expected.content === 'zeros' || content.sha256 === sha256);
  const rightType = cloneType === expected.cloneType;
  return {
    ...line,
    bytes: expected.content === 'disk' ? virtualSize : undefined,
    verdict: !right
      ? 'CONTENT DIFFERS'
      : !rightType
        ? `ok, BUT EXPECTED ${expected.cloneType}`
        : expected.content === 'disk'
          ? 'sha256 ok'
          : 'zeros ok',
    asExpected: right && rightType,
  };
}

/** A pod that uses the claim, as a virtual machine that is being started would. */
async function startConsumer(environment: Environment, volume: DemoVolume) {
  const key = { namespace: volume.namespace, name: `consumer-of-${volume.name}` };
  const options = { claim: volume.name, block: false, command: ['sleep', '3600'] };
  await environment.client.create(pods, podWithVolume(environment, key, options));
  return key;
}

function describePhases(journal: PhaseJournal, { namespace, name }: DemoVolume): string {
  const entries = journal.of({ namespace, name });
  return entries
    .map(({ phase, at }, index) => {
      const next = entries[index + 1];
      return next ? `${phase || 'New'} ${((next.at - at) / 1000).toFixed(1)}` : phase;
    })
    .join(', ');
}
