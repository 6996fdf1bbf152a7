import { expect } from 'chai';
import type { CloneWork } from '../../../../src/controllers/clone/phases/phase.ts';
import { snapshotClone } from '../../../../src/controllers/clone/phases/snapshot-clone.ts';
import { gatherSnapshotSource } from '../../../../src/controllers/clone/source/snapshot-source.ts';
import type { CloneSource } from '../../../../src/controllers/clone/source/source.ts';
import { workForAnnotation, workForClaimAnnotation } from '../../../../src/controllers/objects/internal-annotations.ts';
import type { Event, PersistentVolumeClaim } from '../../../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../../../src/kube/client.ts';
import type { KubeObject } from '../../../../src/kube/resource.ts';
import { cachesOf } from '../caches.ts';

const MEBIBYTE = 2 ** 20;
const NOW = Date.parse('2026-01-01T00:01:00Z');
const golden = { namespace: 'golden', name: 'nightly' };

const snapshot = (restoreSize: string) => ({
  metadata: { ...golden, uid: 'snapshot-1' },
  spec: { source: { persistentVolumeClaimName: 'fedora' } },
  status: { readyToUse: true, restoreSize, boundVolumeSnapshotContentName: 'content-1' },
});
const content = {
  metadata: { name: 'content-1' },
  spec: {
    deletionPolicy: 'Delete',
    driver: 'csi.example',
    source: { volumeHandle: 'handle-1' },
    volumeSnapshotRef: { uid: 'snapshot-1' },
  },
};
const origin = (): PersistentVolumeClaim => ({
  metadata: { namespace: 'golden', name: 'fedora', uid: 'claim-1' },
  spec: { volumeName: 'pv-1', resources: { requests: { storage: '200Mi' } } },
  status: { phase: 'Bound', capacity: { storage: '1Gi' } },
});
const volume = (volumeHandle: string) => ({
  metadata: { name: 'pv-1' },
  spec: { csi: { driver: 'csi.example', volumeHandle }, claimRef: { uid: 'claim-1' } },
});

describe('the size of a snapshot', () => {
  const read = (restoreSize: string, volumeHandle: string) =>
    gatherSnapshotSource(
      {
        client: { get: async () => content } as unknown as KubeClient,
        caches: cachesOf({
          snapshots: [snapshot(restoreSize)],
          claims: [origin()],
          volumes: [volume(volumeHandle)],
        }),
      },
      golden,
      'Filesystem',
    );

  it("is its source's where the driver tells only what was used", async () => {
    expect(await read('16Ki', 'handle-1')).to.include({ capacity: 1024 * MEBIBYTE, restoreSize: 16 * 1024 });
  });

  it('is what the driver tells where another volume has the name of its source', async () => {
    expect(await read('64Mi', 'handle-2')).to.include({ capacity: 64 * MEBIBYTE, restoreSize: 64 * MEBIBYTE });
  });
});

describe('a restored snapshot', () => {
  const source = (restoreSize: number): CloneSource => ({
    kind: 'VolumeSnapshot',
    key: golden,
    uid: 'snapshot-1',
    driver: 'csi.example',
    volumeMode: 'Filesystem',
    capacity: 1024 * MEBIBYTE,
    restoreSize,
    request: 0,
    contentType: 'kubevirt',
    reach: undefined,
  });

  interface World {
    readonly restoreSize?: number;
    readonly working?: PersistentVolumeClaim;
    /** What the driver answered. */
    readonly code?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  }

  /** Takes the step that is due, and tells what was written. */
  async function step({ restoreSize = 30 * MEBIBYTE, working, code, annotations = {} }: World) {
    const written: { verb: string; object: KubeObject & { spec?: unknown } }[] = [];
    const record = (verb: string) => async (_: unknown, object: KubeObject) => {
      written.push({ verb, object });
      return object;
    };
    const failure: Event = {
      metadata: {},
      involvedObject: {},
      message: `failed to provision: rpc error: code = ${code} desc = no`,
    };
    const client = {
      create: record('create'),
      apply: record('apply'),
      delete: record('delete'),
      list: async () => (code ? [failure] : []),
    } as unknown as KubeClient;
    const target: PersistentVolumeClaim = {
      metadata: { namespace: 'team', name: 'disk', uid: 'target-1', annotations: { ...annotations } },
      spec: { storageClassName: 'fast', resources: { requests: { storage: '200Mi' } } },
    };
    const work = {
      context: { client, caches: cachesOf({ claims: working ? [working] : [] }), now: () => NOW },
      target,
      plan: { cloneType: 'snapshot' },
      source: { kind: 'VolumeSnapshot', key: golden, uid: 'snapshot-1', read: async () => source(restoreSize) },
      workingClaim: { namespace: 'golden', name: 'working' },
      temporarySnapshot: { namespace: 'golden', name: 'temporary' },
      temporarySourceClaim: { namespace: 'golden', name: 'stand-in' },
    } as unknown as CloneWork;
    await snapshotClone(work);
    return written;
  }

  const working = (storage: string): PersistentVolumeClaim => ({
    metadata: {
      namespace: 'golden',
      name: 'working',
      uid: 'working-1',
      creationTimestamp: new Date(NOW - 10_000) as never,
      annotations: { [workForAnnotation]: 'target-1', [workForClaimAnnotation]: 'team/disk' },
    },
    spec: { storageClassName: 'fast', resources: { requests: { storage } } },
    status: { phase: 'Pending' },
  });
  const sizeOf = (object: { spec?: unknown } | undefined) =>
    (object?.spec as PersistentVolumeClaim['spec'])?.resources?.requests?.['storage'];

  it('has first the size that the driver tells, which is the only one that some restore', async () => {
    const [made] = await step({});
    expect(made?.verb).to.equal('create');
    expect(sizeOf(made?.object)).to.equal('30Mi');
  });

  it('has what its volume had where the driver refuses that', async () => {
    for (const code of ['OutOfRange', 'InvalidArgument']) {
      const written = await step({ working: working('30Mi'), code });
      expect(written.map(({ verb }) => verb)).to.deep.equal(['apply', 'delete']);
      const annotations = { ...written[0]?.object.metadata?.annotations };
      const [made] = await step({ annotations });
      expect(sizeOf(made?.object)).to.equal('1Gi');
    }
  });

  it('is left alone while the driver may be at work, refuses for another reason, or has refused the larger size too', async () => {
    for (const code of [undefined, 'ResourceExhausted', 'DeadlineExceeded']) {
      expect(await step({ working: working('30Mi'), ...(code ? { code } : {}) })).to.deep.equal([]);
    }
    expect(await step({ working: working('1Gi'), code: 'OutOfRange' })).to.deep.equal([]);
  });

  it('has what is known of its size where the driver tells none', async () => {
    const [made] = await step({ restoreSize: 0 });
    expect(sizeOf(made?.object)).to.equal('1Gi');
  });
});
