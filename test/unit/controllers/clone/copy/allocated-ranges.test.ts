import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { snapshotMetadataServices } from '../../../../../src/controllers/changed-blocks/metadata-services.ts';
import { forgetRanges } from '../../../../../src/controllers/clone/copy/inquire.ts';
import { workForAnnotation } from '../../../../../src/controllers/objects/internal-annotations.ts';
import {
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  secrets,
} from '../../../../../src/kube/builtin-resources.ts';
import {
  type VolumeSnapshot,
  volumeSnapshotClasses,
  volumeSnapshots,
} from '../../../../../src/kube/snapshot-resources.ts';
import { decodeBlockRanges } from '../../../../../src/protocol/block-ranges.ts';
import { temporarySnapshotName } from '../../../../../src/protocol/object-names.ts';
import { ALLOCATED_RANGES_FILE } from '../../../../../src/protocol/transfer-pod.ts';
import {
  message,
  type MetadataServer,
  type MetadataStream,
  reply,
  serveMetadata,
} from '../../../../support/snapshot-metadata/metadata-server.ts';
import { cachesOf } from '../../caches.ts';
import { act } from '../../world/actions.ts';
import { refusal } from '../../world/api.ts';
import type { AccessRequest } from '../../world/client.ts';
import { DRIVER, STORAGE_CLASS, TEAM } from '../../world/installation.ts';
import { World } from '../../world/world.ts';
import { DISK } from '../../world/writings.ts';

const own = { namespace: TEAM, name: 'own' };
const CAPACITY = 2 ** 30;
const claimSpec = {
  accessModes: ['ReadWriteOnce' as const],
  storageClassName: STORAGE_CLASS,
  resources: { requests: { storage: '1Gi' } },
  volumeMode: 'Block' as const,
};

describe('what is allocated of the source of a copy', () => {
  const asked: MetadataStream[] = [];
  let server: MetadataServer;
  let requests: string[] = [];
  let refuse: (request: AccessRequest) => boolean = () => false;

  before(async () => {
    server = await serveMetadata((stream) => void asked.push(stream));
  });
  after(() => server.stop());
  beforeEach(() => {
    asked.length = 0;
    refuse = () => false;
  });

  async function copying(): Promise<World> {
    const world = await World.of({
      cloneStrategy: 'copy',
      hasAnnotationPolicy: true,
      roundMilliseconds: 100,
      authorize: (request) => {
        if (refuse(request)) throw refusal(403, 'Forbidden', 'exceeded quota: pods');
        requests.push(`${request.verb} ${request.resource.kind}`);
      },
    });
    world.api.change('cluster', persistentVolumeClaims, own, (claim) => ({
      ...claim,
      spec: { ...claim.spec, volumeMode: 'Block' },
    }));
    world.api.create('cluster', snapshotMetadataServices, {
      metadata: { name: DRIVER },
      spec: {
        address: server.address,
        audience: 'blocks',
        caCert: Buffer.from(server.certificates).toString('base64'),
      },
    });
    requests = [];
    const spec = { source: { pvc: own }, pvc: claimSpec };
    await act(world, { make: 'data-volume', name: DISK, annotations: {}, owners: [], spec });
    return world;
  }

  async function until(world: World, isSo: () => boolean): Promise<void> {
    for (let round = 0; round < 200 && !isSo(); round++) {
      await world.round();
      await sleep(5);
    }
    expect(isSo()).to.equal(true);
  }

  const answer = (): void => {
    for (const stream of asked) if (!stream.writableEnded) reply(stream, message(CAPACITY, [0, 4096]));
  };
  const documentOf = ({ api }: World): string | undefined =>
    api
      .list(secrets)
      .map(({ stringData }) => stringData?.[ALLOCATED_RANGES_FILE])
      .find((document) => document !== undefined);
  const temporary = ({ api }: World): VolumeSnapshot[] =>
    api.list(volumeSnapshots).filter(({ metadata }) => metadata?.annotations?.[workForAnnotation] !== undefined);

  it('is asked once, however often it is looked for', async () => {
    const world = await copying();
    await until(world, () => asked.length > 0);
    await act(world, { rounds: 20 });
    answer();
    await until(world, () => documentOf(world) !== undefined);
    expect(decodeBlockRanges(documentOf(world) ?? '').ranges).to.deep.equal([{ offset: 0, length: 4096 }]);
    await until(world, () => temporary(world).length === 0);
    expect(asked).to.have.length(1);
    expect(requests.filter((request) => request === 'get SnapshotMetadataService')).to.have.length(2);
  });

  it('is not known any more once a pod may have written to it', async () => {
    const world = await copying();
    await until(world, () => asked.length > 0);
    const pod = { make: 'pod', name: 'machine', mounts: 'own', role: 'any', runs: true } as const;
    await act(world, { ...pod, annotations: {}, owners: [] });
    await act(world, { rounds: 2 });
    answer();
    await act(world, { delete: 'machine', kind: 'pod' });
    await until(world, () => documentOf(world) !== undefined);
    expect(documentOf(world)).to.equal('');
  });

  it('is not known any more once nobody has looked for a while', async () => {
    const world = await copying();
    await until(world, () => asked.length > 0);
    answer();
    world.pass(10_000);
    await until(world, () => documentOf(world) !== undefined);
    expect(documentOf(world)).to.equal('');
  });

  it('is told by another snapshot where an earlier process has taken one', async () => {
    const world = await copying();
    await until(world, () => asked.length > 0);
    const [earlier] = temporary(world);
    world.restart();
    answer();
    await until(world, () => asked.length > 1);
    expect(temporary(world).map(({ metadata }) => metadata?.uid)).not.to.include(earlier?.metadata?.uid);
    answer();
    await until(world, () => documentOf(world) !== undefined);
    expect(decodeBlockRanges(documentOf(world) ?? '').ranges).to.deep.equal([{ offset: 0, length: 4096 }]);
    await until(world, () => temporary(world).length === 0);
  });

  it('takes one snapshot for a copy whose pods have to wait for a quota', async () => {
    const world = await copying();
    refuse = ({ verb, resource }) => verb === 'create' && resource.kind === 'Pod';
    world.api.change('cluster', volumeSnapshotClasses, { namespace: '', name: 'snapshots' }, (found) => ({
      ...found,
      deletionPolicy: 'Delete' as const,
    }));
    let rounds = 0;
    await until(world, () => {
      answer();
      return documentOf(world) !== undefined && ++rounds > 12;
    });
    expect(asked).to.have.length(1);
    expect(requests.filter((request) => request === 'create VolumeSnapshot')).to.have.length(1);
  });

  it('leaves a snapshot that is being taken until it is, so that nothing of it stays in the storage', async () => {
    const claim: PersistentVolumeClaim = { metadata: { ...own, name: 'copy', uid: 'of-copy' } };
    const now = Date.parse('2026-01-01T00:01:00Z');
    const deleted: string[] = [];
    async function forget(creationTimestamp: string): Promise<string> {
      const snapshot: VolumeSnapshot = {
        metadata: {
          namespace: TEAM,
          name: temporarySnapshotName('of-copy'),
          uid: 'of-snapshot',
          annotations: { [workForAnnotation]: 'of-copy' },
          finalizers: ['snapshot.storage.kubernetes.io/volumesnapshot-as-source-protection'],
          creationTimestamp,
        },
        spec: { source: { persistentVolumeClaimName: 'own' } },
      };
      const client = { get: async () => undefined, delete: async () => void deleted.push(creationTimestamp) };
      const context = {
        caches: cachesOf({ snapshots: [snapshot] }),
        client,
        now: () => now,
        changedBlocks: { forget: () => undefined },
      };
      return forgetRanges(context as never, claim, TEAM);
    }
    expect(await forget('2026-01-01T00:00:30Z')).to.equal('waiting');
    expect(await forget('2025-12-31T23:59:00Z')).to.equal('deleted');
    expect(deleted).to.deep.equal(['2025-12-31T23:59:00Z']);
  });
});
