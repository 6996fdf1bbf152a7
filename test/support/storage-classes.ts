import { storageProfiles } from '../../src/api/storage-profile.ts';
import { csiDrivers, type StorageClass, storageClasses } from '../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { volumeSnapshotClasses } from '../../src/kube/snapshot-resources.ts';
import { localStorageClass } from '../cluster/local-volumes.ts';
import { until } from './until.ts';

const FIELD_MANAGER = 'diskpress-test';

/** The classes that tests choose from, by what they are for; undefined where the cluster has none such. */
export interface StorageClasses {
  /** For whatever is not about a certain kind of storage; binds at once. */
  readonly standard: string;
  /** Cloned by the CSI driver. */
  readonly csiClone: string | undefined;
  /** Cloned by snapshots. */
  readonly snapshot: string | undefined;
  /** Cloned by pods. */
  readonly copy: string | undefined;
  /** Waits for the first consumer. */
  readonly firstConsumer: string | undefined;
  /** Static volumes without a CSI driver. */
  readonly local: string | undefined;
}

const strategies = { csiClone: 'csi-clone', snapshot: 'snapshot', copy: 'copy' } as const;

/** Finds or makes the classes, and tells in their StorageProfiles how they are cloned. */
export async function prepareStorageClasses(client: KubeClient, ownCluster: boolean): Promise<StorageClasses> {
  const classes: StorageClasses = ownCluster
    ? {
        standard: 'diskpress',
        csiClone: 'diskpress',
        snapshot: 'diskpress-snapshot',
        copy: 'diskpress-copy',
        firstConsumer: 'diskpress-wffc',
        local: localStorageClass,
      }
    : await deriveClasses(client);
  await Promise.all(
    Object.entries(strategies).map(async ([role, cloneStrategy]) => {
      const name = classes[role as keyof typeof strategies];
      if (name === undefined) return;
      const spec = { cloneStrategy, claimPropertySets: [{ accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem' }] };
      await client.apply(storageProfiles, { metadata: { name }, spec } as never, { fieldManager: FIELD_MANAGER });
      await until(client, storageProfiles, { namespace: '', name }, 'its status tells the strategy', (profile) => {
        return profile?.status?.cloneStrategy === cloneStrategy;
      });
    }),
  );
  return classes;
}

/** In a cluster of the user's: copies of one class of a CSI driver, which differ in how they are used. */
async function deriveClasses(client: KubeClient): Promise<StorageClasses> {
  const [classes, drivers, snapshotClasses] = await Promise.all([
    client.list(storageClasses),
    client.list(csiDrivers),
    client.list(volumeSnapshotClasses),
  ]);
  const ofDriver = classes.filter((each) => drivers.some((driver) => driver.metadata?.name === each.provisioner));
  const named = process.env.DISKPRESS_STORAGE_CLASS;
  const base = named
    ? ofDriver.find((each) => each.metadata?.name === named)
    : (ofDriver.find(isDefault) ?? ofDriver.find((each) => !isDerived(each)));
  if (!base) {
    throw new Error(
      named
        ? `DISKPRESS_STORAGE_CLASS is "${named}", which is no StorageClass of a CSI driver of this cluster`
        : 'this cluster has no StorageClass of a CSI driver, which the tests need; name one in DISKPRESS_STORAGE_CLASS',
    );
  }
  const derive = async (suffix: string, volumeBindingMode: 'Immediate' | 'WaitForFirstConsumer' = 'Immediate') => {
    const name = `diskpress-test-${suffix}`;
    const { provisioner, parameters, allowVolumeExpansion, mountOptions, allowedTopologies } = base;
    const found = classes.find((each) => each.metadata?.name === name);
    if (found && found.provisioner !== provisioner) await client.delete(storageClasses, { namespace: '', name });
    await client.apply(
      storageClasses,
      {
        metadata: { name, labels: { [DERIVED_LABEL]: 'true' } },
        provisioner,
        parameters,
        allowVolumeExpansion,
        mountOptions,
        allowedTopologies,
        volumeBindingMode,
        reclaimPolicy: 'Delete',
      },
      { fieldManager: FIELD_MANAGER },
    );
    return name;
  };
  const canSnapshot = snapshotClasses.some((each) => each.driver === base.provisioner);
  const canClone = process.env.DISKPRESS_CSI_CLONE !== 'false';
  return {
    standard: await derive('standard'),
    csiClone: canClone ? await derive('csi-clone') : undefined,
    snapshot: canSnapshot ? await derive('snapshot') : undefined,
    copy: await derive('copy'),
    firstConsumer: await derive('first-consumer', 'WaitForFirstConsumer'),
    local: undefined,
  };
}

const DERIVED_LABEL = 'diskpress.test/derived';

function isDerived(storageClass: StorageClass): boolean {
  return storageClass.metadata?.labels?.[DERIVED_LABEL] === 'true';
}

function isDefault(storageClass: StorageClass): boolean {
  return storageClass.metadata?.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true';
}
