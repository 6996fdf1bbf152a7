import { storageProfiles } from '../../../src/api/storage-profile.ts';
import { csiDrivers, storageClasses } from '../../../src/kube/builtin-resources.ts';
import { volumeSnapshotClasses } from '../../../src/kube/snapshot-resources.ts';
import { type SecondDriver, startSecondDriver } from '../../cluster/index.ts';
import { until } from '../../support/until.ts';
import type { Suite } from './suite.ts';

const FIELD_MANAGER = 'diskpress-test';

/** A class of a second driver. */
export interface SecondClass {
  readonly parameters?: Readonly<Record<string, string>>;
  readonly cloneStrategy?: 'csi-clone' | 'snapshot' | 'copy';
  readonly volumeBindingMode?: 'Immediate' | 'WaitForFirstConsumer';
}

/** A second driver with classes and a snapshot class of its own. */
export class SecondStorage {
  readonly #suite: Suite;
  readonly #driver: SecondDriver;
  readonly #classes: string[] = [];

  private constructor(suite: Suite, driver: SecondDriver) {
    this.#suite = suite;
    this.#driver = driver;
  }

  /** @param storageCapacity whether the scheduler is to wait for capacities, which this driver never publishes */
  static async start(suite: Suite, prefix: string, { storageCapacity = false } = {}): Promise<SecondStorage> {
    const driver = await startSecondDriver({ prefix });
    const spec = { attachRequired: false, podInfoOnMount: false, storageCapacity, fsGroupPolicy: 'File' };
    await suite.client.apply(csiDrivers, { metadata: { name: driver.name }, spec }, { fieldManager: FIELD_MANAGER });
    await suite.client.apply(
      volumeSnapshotClasses,
      {
        metadata: { name: driver.name, annotations: { 'snapshot.storage.kubernetes.io/is-default-class': 'true' } },
        driver: driver.name,
        deletionPolicy: 'Delete',
      },
      { fieldManager: FIELD_MANAGER },
    );
    return new SecondStorage(suite, driver);
  }

  async addClass(name: string, options: SecondClass = {}): Promise<void> {
    const { parameters = {}, cloneStrategy = 'csi-clone', volumeBindingMode = 'Immediate' } = options;
    const { client } = this.#suite;
    await client.apply(
      storageClasses,
      {
        metadata: { name },
        provisioner: this.#driver.name,
        parameters: { ...parameters },
        allowVolumeExpansion: true,
        volumeBindingMode,
      },
      { fieldManager: FIELD_MANAGER },
    );
    this.#classes.push(name);
    const claimPropertySets = (['Filesystem', 'Block'] as const).map((volumeMode) => ({
      accessModes: ['ReadWriteOnce'],
      volumeMode,
    }));
    const profile = { metadata: { name }, spec: { cloneStrategy, claimPropertySets } };
    await client.apply(storageProfiles, profile as never, { fieldManager: FIELD_MANAGER });
    await until(client, storageProfiles, { namespace: '', name }, 'its status tells the strategy', (found) => {
      return found?.status?.cloneStrategy === cloneStrategy && found.status.claimPropertySets?.length === 2;
    });
  }

  /** Ends all of it; to be called when its volumes are gone. */
  async stop(): Promise<void> {
    const { client } = this.#suite;
    for (const name of this.#classes) await client.delete(storageClasses, { namespace: '', name });
    await client.delete(volumeSnapshotClasses, { namespace: '', name: this.#driver.name });
    await client.delete(csiDrivers, { namespace: '', name: this.#driver.name });
    await this.#driver.stop();
  }
}
