import { expect } from 'chai';
import fc from 'fast-check';
import { populationAnnotation, stateAnnotation } from '../../../../../src/api/annotations.ts';
import { importTransfer } from '../../../../../src/controllers/import/importer/import-transfer.ts';
import { importPopulation } from '../../../../../src/controllers/import/populator/import-population.ts';
import { workForAnnotation } from '../../../../../src/controllers/objects/internal-annotations.ts';
import { claimLabelsOf } from '../../../../../src/controllers/transfers/image-labels.ts';
import { PopulationReconciler } from '../../../../../src/controllers/transfers/population/population-reconciler.ts';
import { TransferReconciler } from '../../../../../src/controllers/transfers/transfer-reconciler.ts';
import { pendingReport, reportAnnotations } from '../../../../../src/controllers/transfers/transfer-report.ts';
import type { PersistentVolumeClaim, Pod } from '../../../../../src/kube/builtin-resources.ts';
import { ApiError, TerminalError, WaitingError } from '../../../../../src/kube/errors.ts';
import type { KubeObject } from '../../../../../src/kube/resource.ts';
import { expectProcessorTimeBelow } from '../../../../support/processor-time.ts';
import { rejection } from '../../../../support/rejection.ts';
import { cachesOf } from '../../caches.ts';

const reconcilerOf = (context: object) =>
  new TransferReconciler(importTransfer, importTransfer.operate(context as never, {} as never), context as never);

const KEY = { namespace: 'team', name: 'prime-1' };
const target: PersistentVolumeClaim = { metadata: { namespace: 'team', name: 'disk', uid: 'of-disk' } };
const owner = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name: 'disk', uid: 'of-disk' };
const claim: PersistentVolumeClaim = {
  metadata: {
    ...KEY,
    uid: 'of-prime',
    ownerReferences: [owner],
    annotations: { [populationAnnotation.importEndpoint]: 'http://server/disk.img', [workForAnnotation]: 'of-disk' },
  },
};

function podWith(labels: Record<string, string>, diskSize?: number): Pod {
  const message = JSON.stringify({ outcome: 'succeeded', bytesRead: 1, bytesWritten: 1, labels, diskSize });
  return {
    metadata: {
      namespace: 'team',
      name: 'importer-prime-1',
      uid: 'of-pod',
      ownerReferences: [owner],
      annotations: { [workForAnnotation]: 'of-prime' },
    },
    status: {
      phase: 'Succeeded',
      containerStatuses: [{ name: 'importer', state: { terminated: { exitCode: 0, message } } } as never],
    },
  };
}

/**
 * The end of an import whose importer has found these labels, at an API that answers them with the error, if there is
 * one.
 */
function ended(
  labels: Record<string, string>,
  refusal?: Error,
  present: Record<string, string> = {},
  { diskSize, spec = {} }: { diskSize?: number; spec?: NonNullable<PersistentVolumeClaim['spec']> } = {},
) {
  const applied: Record<string, string>[] = [];
  const patches: object[] = [];
  const events: { about: string | undefined; reason: string; message: string }[] = [];
  const context = {
    caches: cachesOf({
      claims: [{ ...claim, spec, metadata: { ...claim.metadata, labels: present } }, target],
      pods: [podWith(labels, diskSize)],
    }),
    client: {
      apply: async (_: unknown, { metadata }: KubeObject) => void applied.push(metadata?.annotations ?? {}),
      mergePatch: async (_: unknown, __: unknown, patch: object) => {
        if (refusal) throw refusal;
        patches.push(patch);
      },
      delete: async () => undefined,
    },
    events: {
      event: (object: KubeObject, event: { reason: string; message: string }) =>
        events.push({ about: object.metadata?.name, reason: event.reason, message: event.message }),
    },
    config: { importProxy: {}, filesystemOverhead: () => 0.06 },
    now: () => 0,
  };
  const reconcile = () => reconcilerOf(context).reconcile(KEY);
  return { reconcile, applied, patches, events };
}

describe('a disk that has been made', () => {
  const MEBIBYTE = 2 ** 20;
  const requested = (volumeMode: string) => ({ volumeMode, resources: { requests: { storage: '1086Mi' } } });
  const eventsOf = async (diskSize: number | undefined, volumeMode = 'Filesystem') => {
    const made = ended(
      {},
      undefined,
      {},
      { ...(diskSize === undefined ? {} : { diskSize }), spec: requested(volumeMode) },
    );
    await made.reconcile();
    expect(made.applied[0]).to.include({ [stateAnnotation.podPhase]: 'Succeeded' });
    return made.events;
  };

  it('is told where it is smaller than what was asked for, on the claim that its user knows', async () => {
    const [event, ...others] = await eventsOf(1018 * MEBIBYTE);
    expect(others).to.deep.equal([]);
    expect(event).to.include({ about: 'disk', reason: 'DiskSmallerThanRequested' });
    expect(event?.message).to.match(/has 1018 MiB instead of 1 GiB.*request more, or raise filesystemOverhead/);
  });

  it('is not told where it is as large, or a device, or its importer does not say', async () => {
    expect(await eventsOf(1024 * MEBIBYTE)).to.deep.equal([]);
    expect(await eventsOf(1018 * MEBIBYTE, 'Block')).to.deep.equal([]);
    expect(await eventsOf(undefined)).to.deep.equal([]);
  });
});

describe('labels from an image', () => {
  const instancetype = { 'instancetype.kubevirt.io/default-instancetype': 'u1.small' };

  it('are set on the claim', async () => {
    const { reconcile, applied, patches, events } = ended(instancetype);
    await reconcile();
    expect(patches).to.deep.equal([{ metadata: { labels: instancetype } }]);
    expect(applied[0]).to.include({ [stateAnnotation.podPhase]: 'Succeeded' });
    expect(events).to.deep.equal([]);
  });

  it('leave those alone that a user wrote', async () => {
    const own = { 'instancetype.kubevirt.io/default-instancetype': 'u1.large' };
    const preference = { 'instancetype.kubevirt.io/default-preference': 'fedora' };
    const { reconcile, patches } = ended({ ...instancetype, ...preference }, undefined, own);
    await reconcile();
    expect(patches).to.deep.equal([{ metadata: { labels: preference } }]);
  });

  for (const code of [403, 422]) {
    it(`do not keep an import from its end where they are refused with status ${code}`, async () => {
      const refusal = new ApiError({ code, message: 'no such labels here' });
      const { reconcile, applied, events } = ended(instancetype, refusal);
      await reconcile();
      expect(applied[0]).to.include({ [stateAnnotation.podPhase]: 'Succeeded' });
      expect(events).to.have.length(1);
      expect(events[0]).to.include({ about: 'disk', reason: 'ImageLabelsRefused' });
      expect(events[0]?.message).to.match(/default-instancetype could not be set: no such labels here/);
    });
  }

  it('are tried again where the API server is ill', async () => {
    const refusal = new ApiError({ code: 500, message: 'ill' });
    const { reconcile, applied } = ended(instancetype, refusal);
    expect(await rejection(reconcile())).to.equal(refusal);
    expect(applied).to.deep.equal([]);
  });

  it('are none that the API would refuse, or that the controllers go by', async () => {
    const others = {
      'cdi.kubevirt.io/dataImportCron': 'golden',
      'storage.cdi.kubevirt.io/any': 'x',
      'app.kubernetes.io/managed-by': 'cdi-controller',
      app: 'x',
      'evilkubevirt.io/x': 'x',
      '-a.kubevirt.io/x': 'x',
      'a..kubevirt.io/x': 'x',
      'instancetype.kubevirt.io/-x': 'x',
      'instancetype.kubevirt.io/x/y': 'x',
      'instancetype.kubevirt.io/x': 'not a label',
      [`instancetype.kubevirt.io/${'x'.repeat(64)}`]: 'x',
      [`${'a.'.repeat(130)}kubevirt.io/x`]: 'x',
    };
    expect(claimLabelsOf({ ...others, ...instancetype, 'kubevirt.io/os': '' })).to.deep.equal({
      ...instancetype,
      'kubevirt.io/os': '',
    });
    const { reconcile, patches, applied } = ended(others);
    await reconcile();
    expect(patches).to.deep.equal([]);
    expect(applied[0]).to.include({ [stateAnnotation.podPhase]: 'Succeeded' });
  });

  it('are judged in no time, whatever they are', () => {
    const part = fc.constantFrom('a', '-', '.', '/', 'kubevirt.io', 'a-a.', '_');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5000, size: 'max' }), (parts) => {
        const text = parts.join('');
        expectProcessorTimeBelow(100, () => claimLabelsOf({ [text]: text }));
      }),
      { numRuns: 50 },
    );
  });
});

describe('a claim that asks for an import by its annotations', () => {
  const asking: PersistentVolumeClaim = {
    metadata: {
      ...KEY,
      uid: 'of-asking',
      annotations: {
        [populationAnnotation.importEndpoint]: 'http://server/disk.img',
        'volume.kubernetes.io/storage-provisioner': 'csi.example',
      },
    },
  };

  for (const [failure, reason] of [
    [new WaitingError('ErrExceededQuota', 'exceeded quota'), 'ErrExceededQuota'],
    [new TerminalError('UnsupportedSource', 'not known'), 'ImportFailed'],
  ] as const)
    it(`has an event of ${failure.reason}`, async () => {
      const told: string[] = [];
      const context = {
        caches: cachesOf({ claims: [asking] }),
        client: { apply: async () => undefined },
        events: {
          event: (about: KubeObject, event: { reason: string }) => told.push(`${about.metadata?.uid} ${event.reason}`),
        },
        now: () => 0,
      };
      await reconcilerOf(context).failed(KEY, failure);
      expect(told).to.deep.equal([`of-asking ${reason}`]);
    });
});

describe('a claim that is populated by an import', () => {
  const mark = { [workForAnnotation]: 'of-disk' };
  const populated = (labels: Record<string, string>): PersistentVolumeClaim => ({
    metadata: {
      namespace: 'team',
      name: 'disk',
      uid: 'of-disk',
      labels,
      annotations: { 'volume.kubernetes.io/storage-provisioner': 'csi.example' },
    },
    spec: { dataSourceRef: { apiGroup: 'cdi.kubevirt.io', kind: 'VolumeImportSource', name: 'source' } },
  });
  /** What becomes of the target when its working claim has come so far. */
  async function mirrored(working: KubeObject['metadata'], own: Record<string, string> = {}) {
    const prime = { metadata: { namespace: 'team', name: 'prime-of-disk', uid: 'of-prime', ...working } };
    const caches = cachesOf({ claims: [populated(own), prime] });
    const [patches, told]: [object[], string[]] = [[], []];
    const context = {
      caches,
      client: {
        apply: async () => undefined,
        mergePatch: async (_: unknown, __: unknown, patch: object) => void patches.push(patch),
      },
      events: {
        event: (about: KubeObject, event: { reason: string }) => told.push(`${about.metadata?.name} ${event.reason}`),
      },
      now: () => 0,
    };
    await new PopulationReconciler(importPopulation, context as never).reconcile({ namespace: 'team', name: 'disk' });
    return { patches, told };
  }

  it('gets the labels of the image that it does not have', async () => {
    const labels = { app: 'x', 'test.kubevirt.io/existing': 'somethingelse', 'test.kubevirt.io/new': 'a' };
    const { patches } = await mirrored({ labels, annotations: mark }, { 'test.kubevirt.io/existing': 'existing' });
    expect(patches).to.deep.equal([{ metadata: { labels: { 'test.kubevirt.io/new': 'a' } } }]);
  });

  it('has an event of what keeps its importer from starting', async () => {
    const report = pendingReport(0, { reason: 'ErrExceededQuota', message: 'exceeded quota' });
    const { told } = await mirrored({ annotations: { ...mark, ...reportAnnotations(report) } });
    expect(told).to.deep.equal(['disk ErrExceededQuota']);
  });
});
