import type { CloneType } from '../../../src/api/clone.ts';
import { storageProfiles } from '../../../src/api/storage-profile.ts';
import { storageClasses } from '../../../src/kube/builtin-resources.ts';
import { until } from '../../support/until.ts';
import type { Suite } from './suite.ts';

interface ClassOptions {
  readonly allowVolumeExpansion?: boolean;
  readonly reclaimPolicy?: 'Delete' | 'Retain';
  /** The VolumeSnapshotClass for its clones. */
  readonly snapshotClass?: string;
}

/** Whether the cluster is the test cluster, whose CSI driver can be told what to refuse. */
export function hasOwnDriver({ classes }: Suite): boolean {
  return classes.local !== undefined;
}

/** Makes a class of the test cluster's CSI driver. */
export async function ownClass(
  { client }: Suite,
  name: string,
  parameters: Readonly<Record<string, string>>,
  cloneStrategy?: CloneType,
  { allowVolumeExpansion = true, reclaimPolicy = 'Delete', snapshotClass }: ClassOptions = {},
): Promise<string> {
  const fieldManager = 'diskpress-test';
  const provisioner = 'csi.diskpress.test';
  await client.apply(
    storageClasses,
    { metadata: { name }, provisioner, allowVolumeExpansion, parameters, reclaimPolicy },
    { fieldManager },
  );
  const spec = { ...(cloneStrategy && { cloneStrategy }), ...(snapshotClass && { snapshotClass }) };
  await client.apply(storageProfiles, { metadata: { name }, spec }, { fieldManager });
  const key = { namespace: '', name };
  const strategy = cloneStrategy ?? 'snapshot';
  await until(client, storageProfiles, key, 'its status tells the strategy', (profile) => {
    return profile?.status?.cloneStrategy === strategy;
  });
  return name;
}
