import { dataImportCronAnnotation } from '../../api/annotations.ts';
import { type DataImportCron, dataImportCrons } from '../../api/data-import-cron.ts';
import { dataVolumes } from '../../api/data-volume.ts';
import { DATA_IMPORT_CRON_LABEL } from '../../api/labels.ts';
import { persistentVolumeClaims } from '../../kube/builtin-resources.ts';
import { keyOf } from '../../kube/key.ts';
import type { KubeObject, Resource } from '../../kube/resource.ts';
import { volumeSnapshots } from '../../kube/snapshot-resources.ts';
import { createIfAbsent } from '../objects/create-if-absent.ts';
import { nameTaken } from '../objects/made-for.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { requireAuthority } from './authority.ts';
import type { CronWorld, Plan } from './decide.ts';
import { failedImportAnnotation } from './failures.ts';
import { importOf } from './objects.ts';
import { snapshotOf } from './snapshot.ts';

type WorkContext = Pick<ControllerContext, 'client' | 'caches' | 'policies' | 'now'>;

const resources: Readonly<Record<string, Resource<KubeObject>>> = {
  DataVolume: dataVolumes,
  PersistentVolumeClaim: persistentVolumeClaims,
  VolumeSnapshot: volumeSnapshots,
};

/** Records when the image that the DataSource stands for became the newest. */
export async function recordUse({ client }: WorkContext, { target, usedAt }: Plan): Promise<void> {
  if (!target || usedAt === undefined) return;
  const { uid } = target.object.metadata ?? {};
  const annotations = { [dataImportCronAnnotation.lastUseTime]: new Date(usedAt).toISOString() };
  const resource: Resource<KubeObject> = target.kind === 'pvc' ? persistentVolumeClaims : volumeSnapshots;
  await client.mergePatch(resource, keyOf(target.object), { metadata: { uid, annotations } });
}

/**
 * Begins what the plan asks for: an import, or the snapshot of a complete one.
 *
 * @throws WaitingError ErrResourceExists where somebody else's object has the name; where the API server refuses it
 * @throws as {@link requireAuthority}
 */
export async function begin(context: WorkContext, world: CronWorld, plan: Plan): Promise<void> {
  const { client, now } = context;
  const { cron, digest, format } = world;
  if (plan.toSnapshot && format.kind === 'snapshot') {
    const snapshot = snapshotOf(cron, plan.toSnapshot.object, format.snapshotClass, now());
    requireOwn(cron, await createIfAbsent(client, volumeSnapshots, snapshot));
  }
  if (!plan.mayImport || !digest || !plan.name) return;
  // The cache of snapshots may be behind that of DataVolumes, which goes when its snapshot is ready.
  const key = { namespace: keyOf(cron).namespace, name: plan.name };
  const snapshot = format.kind === 'snapshot' ? await client.get(volumeSnapshots, key) : undefined;
  if (snapshot) requireOwn(cron, snapshot);
  if (snapshot?.status?.readyToUse) return;
  await requireAuthority(context, cron);
  requireOwn(cron, await createIfAbsent(client, dataVolumes, importOf(cron, { ...world, digest, name: plan.name })));
}

/** Removes what is not needed any more; a failed import is counted first. */
export async function remove({ client }: WorkContext, { cron }: CronWorld, { newest, toRemove }: Plan): Promise<void> {
  const isDue = newest.stage === 'failed' && toRemove.length > 0;
  if (isDue && cron.metadata.annotations?.[failedImportAnnotation] !== newest.failure.record) {
    const { uid } = cron.metadata;
    const annotations = { [failedImportAnnotation]: newest.failure.record };
    await client.mergePatch(dataImportCrons, keyOf(cron), { metadata: { uid, annotations } });
  }
  for (const object of toRemove) {
    const resource = resources[object.kind ?? ''];
    if (resource) await client.delete(resource, keyOf(object), { uid: object.metadata?.uid });
  }
}

function requireOwn(cron: DataImportCron, object: KubeObject): void {
  if (object.metadata?.labels?.[DATA_IMPORT_CRON_LABEL] === cron.metadata.name) return;
  throw nameTaken(object.kind ?? 'An object', object, 'somebody else has made it');
}
