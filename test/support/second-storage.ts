import { storageProfiles } from '../../src/api/storage-profile.ts';
import { csiDrivers, persistentVolumes, storageClasses } from '../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { volumeSnapshotClasses, volumeSnapshotContents } from '../../src/kube/snapshot-resources.ts';
import { type SecondDriver, startSecondDriver } from '../cluster/index.ts';
import { eventually } from './eventually.ts';
import { until } from './until.ts';

const FIELD_MANAGER = 'diskpress-test';
/** Each call of a slow driver takes seconds. */
const EMPTY_MILLISECONDS = 180_000;

/** A class of a second driver. */
export interface SecondClass {
  readonly parameters?: Readonly<Record<string, string>>;
  readonly cloneStrategy?: 'csi-clone' | 'snapshot' | 'copy';
  readonly volumeBindingMode?: 'Immediate' | 'WaitForFirstConsumer';
  /** Parameters of a VolumeSnapshotClass of its own. */
  readonly snapshotParameters?: Readonly<Record<string, string>>;
}

/** A second driver with classes and a snapshot class of its own. */
export class SecondStorage {
  readonly #client: KubeClient;
  readonly #driver: SecondDriver;
  readonly #classes: string[] = [];
  readonly #snapshotClasses: string[] = [];

  private constructor(client: KubeClient, driver: SecondDriver) {
    this.#client = client;
    this.#driver = driver;
  }

  /**
   * @param options.storageCapacity whether the scheduler is to wait for capacities, which this driver never publishes
   * @param options.tellsBlocks whether it tells which blocks of its snapshots have changed
   */
  static async start(
    { client }: { readonly client: KubeClient },
    prefix: string,
    { storageCapacity = false, tellsBlocks = false } = {},
  ): Promise<SecondStorage> {
    const driver = await startSecondDriver({ prefix, tellsBlocks });
    const spec = { attachRequired: false, podInfoOnMount: false, storageCapacity, fsGroupPolicy: 'File' };
    await client.apply(csiDrivers, { metadata: { name: driver.name }, spec }, { fieldManager: FIELD_MANAGER });
    await client.apply(
      volumeSnapshotClasses,
      {
        metadata: { name: driver.name, annotations: { 'snapshot.storage.kubernetes.io/is-default-class': 'true' } },
        driver: driver.name,
        deletionPolicy: 'Delete',
      },
      { fieldManager: FIELD_MANAGER },
    );
    return new SecondStorage(client, driver);
  }

  async addClass(name: string, options: SecondClass = {}): Promise<void> {
    const {
      parameters = {},
      cloneStrategy = 'csi-clone',
      volumeBindingMode = 'Immediate',
      snapshotParameters,
    } = options;
    const client = this.#client;
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
    if (snapshotParameters) await this.#addSnapshotClass(name, snapshotParameters);
    const spec = { cloneStrategy, claimPropertySets, ...(snapshotParameters && { snapshotClass: name }) };
    const profile = { metadata: { name }, spec };
    await client.apply(storageProfiles, profile as never, { fieldManager: FIELD_MANAGER });
    await until(client, storageProfiles, { namespace: '', name }, 'its status tells the strategy', (found) => {
      return found?.status?.cloneStrategy === cloneStrategy && found.status.claimPropertySets?.length === 2;
    });
  }

  async #addSnapshotClass(name: string, parameters: Readonly<Record<string, string>>): Promise<void> {
    const snapshotClass = { metadata: { name }, driver: this.#driver.name, deletionPolicy: 'Delete' as const };
    await this.#client.apply(
      volumeSnapshotClasses,
      { ...snapshotClass, parameters: { ...parameters } },
      { fieldManager: FIELD_MANAGER },
    );
    this.#snapshotClasses.push(name);
  }

  /** Ends all of it, when the driver has removed its volumes and snapshots: what they are for has to be deleted. */
  async stop(): Promise<void> {
    const client = this.#client;
    await untilDriverIsEmpty(client, this.#driver.name);
    for (const name of this.#classes) await client.delete(storageClasses, { namespace: '', name });
    for (const name of [this.#driver.name, ...this.#snapshotClasses]) {
      await client.delete(volumeSnapshotClasses, { namespace: '', name });
    }
    await client.delete(csiDrivers, { namespace: '', name: this.#driver.name });
    await this.#driver.stop();
  }
}

/** Resolves once a driver has removed all of its volumes and snapshots, which nothing but it can do. */
export async function untilDriverIsEmpty(client: KubeClient, driver: string): Promise<void> {
  await eventually(
    `${driver} has no volumes and snapshots`,
    async () => {
      const volumes = (await client.list(persistentVolumes)).filter(({ spec }) => spec?.csi?.driver === driver);
      const contents = (await client.list(volumeSnapshotContents)).filter(({ spec }) => spec.driver === driver);
      return volumes.length + contents.length === 0;
    },
    EMPTY_MILLISECONDS,
    250,
  );
}
