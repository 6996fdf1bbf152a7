import { expect } from 'chai';
import { dataVolumes, type DataVolumeSpec } from '../../../src/api/data-volume.ts';
import { events, persistentVolumeClaims, pods } from '../../../src/kube/builtin-resources.ts';
import { killContainer } from '../../cluster/index.ts';
import { until } from '../../support/until.ts';
import type { Suite } from './suite.ts';
import { containerOf } from './uploaded-disk.ts';

const COPIED = 'cdi.kubevirt.io/storage.checkpoint.copied';
export const STAGE_TIMEOUT = 240_000;

/** Tells a DataVolume which stages there are. */
export async function planStages(
  { client, key }: Suite,
  name: string,
  spec: Pick<DataVolumeSpec, 'checkpoints' | 'finalCheckpoint'>,
): Promise<void> {
  await client.mergePatch(dataVolumes, key(name), { spec });
}

/** Waits until a DataVolume is paused after the stage to a checkpoint. */
export async function untilPausedAfter({ client, key }: Suite, name: string, checkpoint: string): Promise<void> {
  await until(
    client,
    persistentVolumeClaims,
    key(name),
    'the stage is complete',
    (claim) => claim?.metadata?.annotations?.[`${COPIED}.${checkpoint}`] !== undefined,
    STAGE_TIMEOUT,
  );
  await until(client, dataVolumes, key(name), 'it is paused', (found) => found?.status?.phase === 'Paused');
}

/** Kills the importer of the stage that is at work in the suite's namespace. */
export async function killStageImporter({ client, namespace }: Suite): Promise<void> {
  const importers = (await client.list(pods, { namespace })).filter(
    ({ metadata, status }) => metadata?.name?.includes('-checkpoint-') && status?.phase === 'Running',
  );
  const killed = await Promise.all(importers.map((pod) => killContainer(containerOf(pod))));
  expect(killed, 'whether it was at work').to.deep.equal([true]);
}

/** Expects what a claim and its events say when all stages are complete. */
export async function expectStagesOver({ client, key, namespace }: Suite, name: string): Promise<void> {
  const claim = await client.get(persistentVolumeClaims, key(name));
  const left = Object.entries(claim?.metadata?.annotations ?? {}).filter(([each]) => each.includes('checkpoint'));
  expect(left).to.deep.equal([['cdi.kubevirt.io/storage.checkpoint.done', 'true']]);
  const told = (await client.list(events, { namespace, fieldSelector: `involvedObject.name=${name}` })).map(
    ({ reason, message }) => `${reason}: ${message}`,
  );
  expect(told).to.include(`ImportPaused: Multistage import into PVC ${name} is paused`);
}
