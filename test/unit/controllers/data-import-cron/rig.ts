import { type DataImportCron, dataImportCrons } from '../../../../src/api/data-import-cron.ts';
import { dataSources } from '../../../../src/api/data-source.ts';
import { dataVolumes } from '../../../../src/api/data-volume.ts';
import { CDI_API_VERSION } from '../../../../src/api/group.ts';
import { imageNameOf } from '../../../../src/api/image-digest.ts';
import { storageProfiles } from '../../../../src/api/storage-profile.ts';
import type { ImagePoller, ImageVersion } from '../../../../src/controllers/image-polls/image-poller.ts';
import { persistentVolumeClaims, pods } from '../../../../src/kube/builtin-resources.ts';
import { keyOf } from '../../../../src/kube/key.ts';
import { volumeSnapshots } from '../../../../src/kube/snapshot-resources.ts';
import { STORAGE_CLASS, TEAM } from '../world/installation.ts';
import { World, type WorldOptions } from '../world/world.ts';

export const CRON = { namespace: TEAM, name: 'cron' };
export const SOURCE = { namespace: TEAM, name: 'fedora' };

/** The digest of the n-th version of an image. */
export const digestOf = (version: number): string => `sha256:${String(version).padStart(2, '0').repeat(32)}`;
export const nameOf = (version: number): string => imageNameOf(SOURCE.name, digestOf(version));

/** A registry with one image, which may be replaced, or not answer. */
export class Registry implements ImagePoller {
  version = 1;
  error: Error | undefined;
  polls = 0;

  async poll(...[, , known]: Parameters<ImagePoller['poll']>): Promise<ImageVersion> {
    this.polls++;
    if (this.error) throw this.error;
    const digest = digestOf(this.version);
    return { digest, unchanged: known?.digest === digest };
  }
}

type Spec = DataImportCron['spec'];
export const template: Spec['template'] = {
  spec: {
    source: { registry: { url: 'docker://registry.example/images/fedora:latest' } },
    storage: { resources: { requests: { storage: '1Gi' } } },
  },
};

/** A DataImportCron of an image that is looked at each hour, in a world of its own. */
export class Rig {
  readonly registry: Registry;
  readonly world: World;

  static async of(options: Partial<WorldOptions> & { readonly format?: 'snapshot' | 'pvc' } = {}): Promise<Rig> {
    const { format = 'pvc', ...others } = options;
    const registry = new Registry();
    const poller = registry;
    const world = await World.of({ cloneStrategy: 'copy', hasAnnotationPolicy: true, poller, ...others });
    const rig = new Rig(world, registry);
    rig.keepAs(format);
    return rig;
  }

  private constructor(world: World, registry: Registry) {
    this.world = world;
    this.registry = registry;
  }

  create(spec: Partial<Spec> = {}, metadata: DataImportCron['metadata'] = {}): void {
    this.world.api.create('author', dataImportCrons, {
      apiVersion: CDI_API_VERSION,
      kind: 'DataImportCron',
      metadata: { ...CRON, ...metadata },
      spec: { template, schedule: '0 * * * *', managedDataSource: SOURCE.name, importsToKeep: 3, ...spec },
    });
  }

  /** Says in what form images of the storage are to be kept. */
  keepAs(format: 'snapshot' | 'pvc', storageClass = STORAGE_CLASS): void {
    this.world.api.change('cluster', storageProfiles, { namespace: '', name: storageClass }, (profile) => ({
      ...profile,
      status: { ...profile.status, dataImportCronSourceFormat: format },
    }));
  }

  /** There is another version, and the next look is due. */
  publish(version: number): void {
    this.registry.version = version;
    this.world.pass(3_700_000);
  }

  async rounds(count = 14): Promise<void> {
    for (let round = 0; round < count; round++) await this.world.round();
  }

  /** Has every import fail for good from now on. */
  async failing(rounds = 14): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      this.failPods();
      await this.world.round();
    }
  }

  failPods(): void {
    const { api } = this.world;
    const message = JSON.stringify({
      outcome: 'failed',
      code: 'NotAnImage',
      message: 'it is no image',
      permanent: true,
    });
    for (const pod of api.list(pods).filter(({ status }) => status?.phase !== 'Failed')) {
      const { name = '' } = pod.spec?.containers[0] ?? {};
      const state = { terminated: { exitCode: 1, message } };
      api.change('cluster', pods, keyOf(pod), (current) => ({
        ...current,
        status: { phase: 'Failed', containerStatuses: [{ name, state } as never] },
      }));
    }
  }

  get cron(): DataImportCron | undefined {
    return this.world.api.find(dataImportCrons, CRON);
  }

  condition(type: 'Progressing' | 'UpToDate') {
    const found = this.cron?.status?.conditions?.find((each) => each.type === type);
    return found && { status: found.status, reason: found.reason, message: found.message };
  }

  /** What the DataSource stands for: kind and name. */
  get standsFor(): string | undefined {
    const { pvc, snapshot } = this.world.api.find(dataSources, SOURCE)?.spec.source ?? {};
    return pvc ? `pvc ${pvc.name}` : snapshot ? `snapshot ${snapshot.name}` : undefined;
  }

  /** Names of the images that there are, of each kind. */
  get images() {
    const { api } = this.world;
    const names = (objects: readonly { metadata?: { name?: string; namespace?: string } }[]) =>
      objects
        .filter(({ metadata }) => metadata?.namespace === TEAM && metadata.name?.startsWith('fedora-'))
        .map(({ metadata }) => metadata?.name)
        .sort();
    return {
      dataVolumes: names(api.list(dataVolumes)),
      claims: names(api.list(persistentVolumeClaims)),
      snapshots: names(api.list(volumeSnapshots)),
    };
  }
}
