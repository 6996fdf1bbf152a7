import { stateAnnotation } from '../../../src/api/annotations.ts';
import { type DataVolume, dataVolumes, type DataVolumeSpec } from '../../../src/api/data-volume.ts';
import { isBound } from '../../../src/controllers/claims/bound.ts';
import { promisedToAnnotation } from '../../../src/controllers/objects/internal-annotations.ts';
import {
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
} from '../../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../../src/kube/key.ts';
import { temporaryClaimName } from '../../../src/protocol/object-names.ts';
import { dataVolume, untilSucceeded } from '../../support/data-volumes.ts';
import { diskFile } from '../../support/disk-images.ts';
import { eventually } from '../../support/eventually.ts';
import type { StorageClasses } from '../../support/storage-classes.ts';
import { until } from '../../support/until.ts';
import { webPath } from '../../support/web-server.ts';
import type { Suite } from './suite.ts';

/** A way of filling a claim, and a phase in the middle of it. */
export interface Stage {
  readonly role: keyof StorageClasses;
  readonly phase: string;
  /** Whether the phase has begun, where it may end before the DataVolume tells of it. */
  readonly hasBegun?: (suite: Suite, target: PersistentVolumeClaim) => boolean | Promise<boolean>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly volumeMode?: 'Block';
  readonly source: (suite: Suite, golden: ObjectKey) => DataVolumeSpec['source'];
}

/** Of which Kubernetes takes the most. */
const BEGIN_MILLISECONDS = 60_000;
const slowImport = ({ web }: Suite) => ({ http: { url: `${web.url}${webPath.slow}/${diskFile.qcow2}` } });
const clone = (_: Suite, golden: ObjectKey) => ({ pvc: { ...golden } });
const isPlanned = (_: Suite, { metadata }: PersistentVolumeClaim) =>
  metadata?.annotations?.[stateAnnotation.clonePhase] !== undefined;
const hasWorkingClaim = async ({ client }: Suite, { metadata }: PersistentVolumeClaim) => {
  const name = temporaryClaimName(metadata?.uid ?? '');
  return (await client.get(persistentVolumeClaims, { namespace: metadata?.namespace ?? '', name })) !== undefined;
};
const isPromised = async ({ client }: Suite, { metadata: target }: PersistentVolumeClaim) =>
  (await client.list(persistentVolumes)).some(
    ({ metadata }) => metadata?.annotations?.[promisedToAnnotation] === target?.uid,
  );
const direct = { annotations: { 'cdi.kubevirt.io/storage.usePopulator': 'false' } };

/** The middle of each way of filling a claim. */
export const stages: Record<string, Stage> = {
  'an import': { role: 'standard', phase: 'ImportInProgress', source: slowImport },
  'an import that has just been scheduled': { role: 'standard', phase: 'ImportScheduled', source: slowImport },
  'an import without a populator': { role: 'standard', phase: 'ImportInProgress', source: slowImport, ...direct },
  'a csi-clone': { role: 'csiClone', phase: 'CSICloneInProgress', hasBegun: isPlanned, source: clone },
  'the snapshot of a clone': {
    role: 'snapshot',
    phase: 'SnapshotForSmartCloneInProgress',
    hasBegun: isPlanned,
    source: clone,
  },
  'the restore of a snapshot': {
    role: 'snapshot',
    phase: 'CloneFromSnapshotSourceInProgress',
    hasBegun: hasWorkingClaim,
    source: clone,
  },
  'the rebinding of a volume': { role: 'csiClone', phase: 'RebindInProgress', hasBegun: isPromised, source: clone },
  'a host-assisted clone': { role: 'copy', phase: 'CloneInProgress', source: clone },
  'a host-assisted clone without a populator': { role: 'copy', phase: 'CloneInProgress', source: clone, ...direct },
};

/** Makes the golden disk that the clones of a role are made of. */
export async function makeGolden(suite: Suite, role: keyof StorageClasses): Promise<ObjectKey> {
  const key = suite.key(`golden-${role.toLowerCase()}`);
  const source = { http: { url: `${suite.web.url}${webPath.plain}/${diskFile.qcow2}` } };
  await suite.client.create(dataVolumes, dataVolume(key, source, { storageClassName: suite.classes[role] }));
  await untilSucceeded(suite.client, key, 240_000);
  return key;
}

/** Makes a DataVolume and resolves in the middle of its work. */
export async function begin(suite: Suite, key: ObjectKey, stage: Stage, golden: ObjectKey): Promise<DataVolume> {
  const { annotations, volumeMode, role } = stage;
  const options = { storageClassName: suite.classes[role], annotations, volumeMode };
  await suite.client.create(dataVolumes, dataVolume(key, stage.source(suite, golden), options));
  const { hasBegun } = stage;
  if (hasBegun) {
    await eventually(
      `${key.name} is in phase ${stage.phase}, or past it`,
      async () => {
        const target = await suite.client.get(persistentVolumeClaims, key);
        return target && (isBound(target) || (await hasBegun(suite, target)));
      },
      BEGIN_MILLISECONDS,
    );
  }
  return until(suite.client, dataVolumes, key, `it is in phase ${stage.phase}`, (object) => {
    if (hasBegun) return object;
    // A fast one may be past the phase before the watch has begun.
    const phase = object?.status?.phase;
    return phase === stage.phase || phase === 'RebindInProgress' || phase === 'Succeeded' ? object : undefined;
  });
}
