import { expect } from 'chai';
import { stateAnnotation } from '../../../../src/api/annotations.ts';
import { importTransfer } from '../../../../src/controllers/import/importer/import-transfer.ts';
import { stageAnnotations } from '../../../../src/controllers/import/stages/stage-annotations.ts';
import { importPodNameOf, importStages } from '../../../../src/controllers/import/stages/stages.ts';
import { workForAnnotation } from '../../../../src/controllers/objects/internal-annotations.ts';
import type { TransferKind } from '../../../../src/controllers/transfers/transfer-kind.ts';
import { TransferReconciler } from '../../../../src/controllers/transfers/transfer-reconciler.ts';
import { readReport, reportAnnotations, runningReport } from '../../../../src/controllers/transfers/transfer-report.ts';
import { uploadTransfer } from '../../../../src/controllers/upload/server/upload-transfer.ts';
import type { PersistentVolumeClaim, Pod } from '../../../../src/kube/builtin-resources.ts';
import { WaitingError } from '../../../../src/kube/errors.ts';
import type { KubeObject } from '../../../../src/kube/resource.ts';
import type { TransferProgress } from '../../../../src/protocol/transfer-pod.ts';
import { cachesOf } from '../caches.ts';

const KEY = { namespace: 'team', name: 'disk' };
const START = Date.parse('2026-01-01T00:00:00Z');
const kind = uploadTransfer as unknown as TransferKind;
const waiting = { stage: 'waiting for an upload: 0 bytes so far', bytesPerSecond: 0 } as TransferProgress;

/** A claim with a server that runs, and is ready or not. */
function running({ isReady, recorded = {}, age = 1_000 }: { isReady: boolean; recorded?: object; age?: number }) {
  const claim: PersistentVolumeClaim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { ...KEY, uid: 'of-disk', annotations: { 'cdi.kubevirt.io/storage.upload.target': '', ...recorded } },
    spec: { volumeName: 'volume' },
  };
  const pod: Pod = {
    metadata: { ...KEY, name: 'cdi-upload-disk', uid: 'of-pod', annotations: { [workForAnnotation]: 'of-disk' } },
    status: {
      phase: 'Running',
      containerStatuses: [
        { name: 'upload-server', state: { running: { startedAt: new Date(START).toISOString() } } } as never,
      ],
    },
  };
  const applied: Record<string, string>[] = [];
  const calls: string[] = [];
  const context = {
    caches: cachesOf({ claims: [claim], pods: [pod] }),
    client: { apply: async (_: unknown, { metadata }: KubeObject) => void applied.push(metadata?.annotations ?? {}) },
    events: { event: () => undefined },
    progress: { ask: async () => ({ progress: waiting }) },
    now: () => START + age,
  };
  const operation = {
    preparePod: async () => pod,
    isReady: async () => (calls.push('asked'), isReady),
    maintain: async () => void calls.push('maintained'),
    cleanUp: async () => undefined,
  };
  const reconciler = new TransferReconciler(kind, operation, context as never);
  return { reconcile: () => reconciler.reconcile(KEY), applied, calls };
}

describe('a transfer whose image the node will not get', () => {
  const claim = (annotations: Record<string, string>): PersistentVolumeClaim => ({
    metadata: {
      ...KEY,
      uid: 'of-disk',
      annotations: { 'cdi.kubevirt.io/storage.import.source': 'registry', ...annotations },
    },
  });
  const state = { waiting: { reason: 'ErrImagePull', message: 'manifest unknown' } };
  const pod = (phase: string): Pod => ({
    metadata: { ...KEY, name: 'importer-disk', uid: 'of-pod', annotations: { [workForAnnotation]: 'of-disk' } },
    status: { phase, initContainerStatuses: [{ name: 'image', state } as never] },
  });
  const reconcile = async (annotations: Record<string, string>, phase = 'Pending') => {
    const applied: Record<string, string>[] = [];
    const deleted: string[] = [];
    const context = {
      caches: cachesOf({ claims: [claim(annotations)], pods: [pod(phase)] }),
      client: {
        apply: async (_: unknown, { metadata }: KubeObject) => void applied.push(metadata?.annotations ?? {}),
        delete: async (_: unknown, { name }: { name: string }) => void deleted.push(name),
      },
      events: { event: () => undefined },
      now: () => START,
    };
    const operation = { preparePod: async () => pod(phase), cleanUp: async () => undefined };
    const imports = importTransfer as unknown as TransferKind;
    await new TransferReconciler(imports, operation, context as never).reconcile(KEY);
    return { applied, deleted };
  };

  it('has failed at once, with the words of the kubelet', async () => {
    const { applied } = await reconcile({});
    expect(applied[0]).to.include({ [stateAnnotation.podPhase]: 'Failed' });
    expect(readReport(applied[0])).to.include({ reason: 'NotFound' });
    expect(readReport(applied[0])?.message).to.include('cannot pull the image: manifest unknown');
  });

  it('leaves no pod that could begin after that', async () => {
    const failed = { [stateAnnotation.podPhase]: 'Failed', [stateAnnotation.populatorProgress]: 'N/A' };
    expect((await reconcile(failed)).deleted).to.deep.equal(['importer-disk']);
    expect((await reconcile(failed, 'Failed')).deleted).to.deep.equal([]);
  });
});

describe('a transfer that cannot begin, on a claim that is about to get its provisioner', () => {
  it('says why as soon as that may be written, and not only when it is tried again', async () => {
    const made = new Date(START).toISOString();
    const claim: PersistentVolumeClaim = {
      metadata: { ...KEY, uid: 'of-disk', creationTimestamp: made, annotations: {} },
      spec: { storageClassName: 'fast' },
    };
    const applied: Record<string, string>[] = [];
    let now = START;
    const context = {
      caches: cachesOf({
        claims: [claim],
        storageClasses: [{ metadata: { name: 'fast' }, provisioner: 'csi.example' }],
      }),
      client: { apply: async (_: unknown, { metadata }: KubeObject) => void applied.push(metadata?.annotations ?? {}) },
      events: { event: () => undefined },
      now: () => now,
    };
    const operation = { preparePod: async () => ({}), cleanUp: async () => undefined };
    const reconciler = new TransferReconciler(kind, operation, context as never);
    const failure = new WaitingError('ErrExceededQuota', 'no room for a pod');
    const result = await reconciler.failed(KEY, failure);
    expect(applied).to.deep.equal([]);
    now += result?.requeueAfter ?? Infinity;
    expect(await reconciler.failed(KEY, failure)).to.equal(undefined);
    expect(readReport(applied[0])).to.include({ reason: 'ErrExceededQuota', message: 'no room for a pod' });
  });
});

describe('a transfer whose pod is running', () => {
  it('is starting until the pod is ready, for which it is asked often at first', async () => {
    const young = running({ isReady: false });
    expect(await young.reconcile()).to.deep.equal({ requeueAfter: 200 });
    expect(young.applied[0]).to.include({ [stateAnnotation.podReady]: 'false', [stateAnnotation.podPhase]: 'Pending' });
    expect(await running({ isReady: false, age: 60_000 }).reconcile()).to.deep.equal({ requeueAfter: 1_000 });
  });

  it('is running once the pod is ready', async () => {
    const { reconcile, applied } = running({ isReady: true });
    await reconcile();
    expect(applied[0]).to.include({ [stateAnnotation.podReady]: 'true', [stateAnnotation.podPhase]: 'Running' });
    expect(readReport(applied[0])?.message).to.equal('waiting for an upload: 0 bytes so far');
  });

  it('is not starting again, and is maintained', async () => {
    const recorded = reportAnnotations(runningReport(undefined, undefined, 0));
    const { reconcile, applied, calls } = running({ isReady: false, recorded });
    await reconcile();
    expect(calls).to.deep.equal(['maintained']);
    expect(applied[0]).to.include({ [stateAnnotation.podReady]: 'true' });
  });
});

describe('a transfer in stages', () => {
  const STAGE = stageAnnotations({ previous: '', current: 'snapshot-1', isFinal: false });
  /** A claim without a pod, as far as the caches know. */
  function begun(actual: { readonly resourceVersion?: string; readonly pod?: Pod } = {}) {
    const claim: PersistentVolumeClaim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        ...KEY,
        uid: 'of-disk',
        resourceVersion: '1',
        annotations: { 'cdi.kubevirt.io/storage.import.source': 'imageio', ...STAGE },
      },
      spec: { volumeName: 'volume' },
      status: { phase: 'Bound' },
    };
    const { resourceVersion = '1', pod } = actual;
    const created: (string | undefined)[] = [];
    const context = {
      caches: cachesOf({ claims: [claim] }),
      client: {
        get: async ({ kind: wanted }: { kind: string }) =>
          wanted === 'Pod' ? pod : { ...claim, metadata: { ...claim.metadata, resourceVersion } },
        create: async (_: unknown, object: KubeObject) => (created.push(object.metadata?.name), object),
        apply: async () => undefined,
      },
      events: { event: () => undefined },
      config: {},
      now: () => START,
    };
    const operation = {
      stages: importStages(context.caches),
      preparePod: async () => ({ metadata: { ...KEY, name: importPodNameOf(claim) } }),
      cleanUp: async () => undefined,
    };
    const staged = { ...(importTransfer as unknown as TransferKind), requestOf: () => ({ scratch: false }) };
    const reconciler = new TransferReconciler(staged, operation, context as never);
    return { reconcile: () => reconciler.reconcile(KEY), created };
  }

  it('creates the pod of the stage that the claim names', async () => {
    const { reconcile, created } = begun();
    await reconcile();
    expect(created).to.deep.equal(['importer-disk-checkpoint-snapshot-1']);
  });

  it('creates none by what it knows of a claim that has changed, or while there is one that it does not know', async () => {
    for (const actual of [{ resourceVersion: '2' }, { pod: { metadata: { ...KEY, uid: 'of-pod' } } }]) {
      const { reconcile, created } = begun(actual);
      // What the watch brings may be nothing that anybody is woken by.
      expect(await reconcile())
        .to.have.property('requeueAfter')
        .that.is.above(0);
      expect(created).to.deep.equal([]);
    }
  });
});
