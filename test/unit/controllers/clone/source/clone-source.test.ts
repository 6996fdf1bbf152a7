import { expect } from 'chai';
import type { DataVolume, DataVolumeStatus } from '../../../../../src/api/data-volume.ts';
import { gatherClaimSource } from '../../../../../src/controllers/clone/source/claim-source.ts';
import { mayWrite, requireUnused } from '../../../../../src/controllers/clone/source/in-use.ts';
import { restoreSpecOf } from '../../../../../src/controllers/clone/source/restore-class.ts';
import { type CloneSource, requireRoom } from '../../../../../src/controllers/clone/source/source.ts';
import type { PersistentVolumeClaim, Pod, StorageClass } from '../../../../../src/kube/builtin-resources.ts';
import { cachesOf } from '../../caches.ts';

const key = { namespace: 'golden', name: 'fedora' };
const GIBIBYTE = 2 ** 30;

interface ClaimChanges {
  readonly metadata?: PersistentVolumeClaim['metadata'];
  readonly spec?: PersistentVolumeClaim['spec'];
  readonly status?: PersistentVolumeClaim['status'];
}

const claim = ({ metadata, spec, status }: ClaimChanges = {}): PersistentVolumeClaim => ({
  metadata: { ...key, uid: 'claim-1', ...metadata },
  spec: {
    volumeName: 'pv-1',
    storageClassName: 'fast',
    resources: { requests: { storage: '900Mi' } },
    ...spec,
  },
  status: { phase: 'Bound', capacity: { storage: '1Gi' }, ...status },
});
const volume = {
  metadata: { name: 'pv-1' },
  spec: { csi: { driver: 'csi.example', volumeHandle: '1' }, claimRef: { ...key, uid: 'claim-1' } },
};
const storageClass = (name: string, more: Partial<StorageClass> = {}): StorageClass => ({
  metadata: { name },
  provisioner: 'csi.example',
  ...more,
});
const dataVolume = (status: DataVolumeStatus): DataVolume => ({
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind: 'DataVolume',
  metadata: { ...key, uid: 'dv-1' },
  spec: { source: { blank: {} }, storage: {} },
  status,
});
const owned = { ownerReferences: [{ apiVersion: 'v1beta1', kind: 'DataVolume', name: key.name, uid: 'dv-1' }] };

function refusal(work: () => unknown): { reason: string; message: string } {
  try {
    work();
  } catch (error) {
    return error as { reason: string; message: string };
  }
  throw new Error('it was not refused');
}

describe('the source of a clone', () => {
  it('is read with its capacity, its request and the driver of its volume', () => {
    const source = gatherClaimSource(cachesOf({ claims: [claim()], volumes: [volume] }), key);
    expect(source).to.deep.include({
      driver: 'csi.example',
      capacity: GIBIBYTE,
      request: 900 * 2 ** 20,
      volumeMode: 'Filesystem',
    });
  });

  const refused: readonly [string, Parameters<typeof cachesOf>[0], string, RegExp][] = [
    ['does not exist', {}, 'CloneWithoutSource', /does not exist in namespace "golden"/],
    [
      'is being deleted',
      { claims: [claim({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })] },
      'CloneWithoutSource',
      /is being deleted/,
    ],
    ['has lost its volume', { claims: [claim({ status: { phase: 'Lost' } })] }, 'ErrClaimLost', /lost its volume pv-1/],
    ['is not bound', { claims: [claim({ status: { phase: 'Pending' } })] }, 'SourceNotReady', /kubectl describe pvc/],
    [
      'waits for its first consumer',
      {
        claims: [claim({ status: { phase: 'Pending' } })],
        storageClasses: [storageClass('fast', { volumeBindingMode: 'WaitForFirstConsumer' })],
      },
      'SourceNotReady',
      /create that pod, or annotate its DataVolume with cdi\.kubevirt\.io\/storage\.bind\.immediate\.requested/,
    ],
    [
      'is of a DataVolume that is not complete',
      {
        claims: [claim({ metadata: owned })],
        dataVolumes: [dataVolume({ phase: 'ImportInProgress', progress: '45.20%' })],
      },
      'SourceNotReady',
      /DataVolume golden\/fedora is not complete yet \(ImportInProgress, 45\.20%\)/,
    ],
    [
      'is of a DataVolume that has no claim yet',
      { dataVolumes: [dataVolume({ phase: 'Pending' })] },
      'SourceNotReady',
      /is not complete yet/,
    ],
    [
      'is of a DataVolume that has failed',
      {
        claims: [claim({ metadata: owned })],
        dataVolumes: [
          dataVolume({ phase: 'Failed', conditions: [{ type: 'Running', status: 'False', message: 'no such host' }] }),
        ],
      },
      'SourceNotReady',
      /has failed \(no such host\); make it anew/,
    ],
    [
      'is being written without a populator',
      {
        claims: [
          claim({
            metadata: {
              annotations: {
                'cdi.kubevirt.io/storage.pod.phase': 'Running',
                'cdi.kubevirt.io/storage.condition.running.message': '1 MiB of 2 MiB',
              },
            },
          }),
        ],
      },
      'SourceNotReady',
      /still being filled: 1 MiB of 2 MiB/,
    ],
  ];
  for (const [name, contents, reason, message] of refused) {
    it(`is waited for while it ${name}`, () => {
      const error = refusal(() => gatherClaimSource(cachesOf({ volumes: [volume], ...contents }), key));
      expect(error.reason).to.equal(reason);
      expect(error.message).to.match(message);
    });
  }

  describe('in use', () => {
    const pod = (spec: object, status: Pod['status'] = { phase: 'Running' }, labels = {}): Pod => ({
      metadata: { namespace: 'golden', name: 'vm', labels },
      spec: { volumes: [{ name: 'disk', persistentVolumeClaim: { claimName: 'fedora' } }], ...spec } as Pod['spec'],
      status,
    });
    const mounted = (readOnly?: boolean) => [
      { name: 'c', volumeMounts: [{ name: 'disk', mountPath: '/d', readOnly }] },
    ];
    const readOnlyVolume = [{ name: 'disk', persistentVolumeClaim: { claimName: 'fedora', readOnly: true } }];

    const cases: readonly [string, Pod, boolean][] = [
      ['mounts it', pod({ containers: mounted() }), true],
      ['is not running yet', pod({ containers: mounted() }, { phase: 'Pending' }), true],
      ['has it as a device', pod({ containers: [{ name: 'c' }] }), true],
      [
        'mounts it in a container that starts before the others',
        pod({ containers: [], initContainers: mounted() }),
        true,
      ],
      ['mounts it once read-only and once not', pod({ containers: [...mounted(true), ...mounted()] }), true],
      ['mounts it read-only', pod({ containers: mounted(true) }), false],
      ['has a volume that is read-only', pod({ volumes: readOnlyVolume, containers: mounted() }), false],
      ['has a device that is read-only', pod({ volumes: readOnlyVolume, containers: [{ name: 'c' }] }), false],
      ['has succeeded', pod({ containers: mounted() }, { phase: 'Succeeded' }), false],
      ['has failed', pod({ containers: mounted() }, { phase: 'Failed' }), false],
      ['mounts another claim', pod({ volumes: [{ name: 'disk', persistentVolumeClaim: { claimName: 'x' } }] }), false],
    ];
    for (const [name, each, expected] of cases) {
      it(`is ${expected ? '' : 'not '}what it is where a pod ${name}`, () => {
        expect(mayWrite(each, 'fedora')).to.equal(expected);
      });
    }

    it('names the pods', () => {
      const pods = [pod({ containers: mounted() }), { ...pod({}), metadata: { namespace: 'golden', name: 'backup' } }];
      const error = refusal(() => requireUnused(cachesOf({ pods }), key));
      expect(error.reason).to.equal('CloneSourceInUse');
      expect(error.message).to.match(/Pods "backup", "vm" in namespace "golden"/);
    });
  });

  describe('that is too large', () => {
    const source: CloneSource = {
      kind: 'VolumeSnapshot',
      key,
      uid: 'snapshot-1',
      driver: 'csi.example',
      volumeMode: 'Block',
      capacity: GIBIBYTE,
      request: GIBIBYTE,
      contentType: 'kubevirt',
      reach: undefined,
    };
    const target = (annotations = {}, volumeMode = 'Block') =>
      claim({ metadata: { annotations }, spec: { volumeMode } });

    it('is refused with both sizes', () => {
      const error = refusal(() => requireRoom(source, target()));
      expect(error.reason).to.equal('CloneValidationFailed');
      expect(error.message).to.match(
        /900 MiB \(943718400 bytes\), less than the 1 GiB \(1073741824 bytes\) of the claim that its snapshot was taken of/,
      );
    });

    it('is left to the copy between volume modes, and to who says that it is permissive', () => {
      requireRoom(source, target({}, 'Filesystem'));
      requireRoom(source, target({ 'cdi.kubevirt.io/permissiveClone': 'true' }));
    });
  });

  describe('that is a snapshot to be copied', () => {
    const source: CloneSource = {
      kind: 'VolumeSnapshot',
      key: { namespace: 'golden', name: 'nightly' },
      uid: 'snapshot-1',
      driver: 'csi.example',
      volumeMode: 'Block',
      capacity: GIBIBYTE,
      request: GIBIBYTE,
      contentType: 'kubevirt',
      reach: undefined,
    };
    const snapshot = { metadata: source.key, spec: { source: { persistentVolumeClaimName: key.name } } };
    const classes = [
      storageClass('a-waiting', { volumeBindingMode: 'WaitForFirstConsumer' }),
      storageClass('b'),
      storageClass('fast', { volumeBindingMode: 'WaitForFirstConsumer' }),
      storageClass('0-other', { provisioner: 'other.example' }),
    ];

    it('is restored into the class of its claim, while that exists', () => {
      const origin = claim({ spec: { accessModes: ['ReadWriteMany'] } });
      const caches = cachesOf({ snapshots: [snapshot], claims: [origin], storageClasses: classes });
      expect(restoreSpecOf(caches, source, claim({ spec: { storageClassName: 'slow' } }))).to.deep.equal({
        storageClassName: 'fast',
        accessModes: ['ReadWriteMany'],
        volumeMode: 'Block',
      });
    });

    it('is restored into a class of its driver that binds at once', () => {
      const caches = cachesOf({ snapshots: [snapshot], storageClasses: classes });
      expect(restoreSpecOf(caches, source, claim({ spec: { storageClassName: 'slow' } }))).to.deep.equal({
        storageClassName: 'b',
        accessModes: ['ReadWriteOnce'],
        volumeMode: 'Block',
      });
    });

    it('is restored into the target’s class, else the default one, rather than one that nobody asked for', () => {
      const named = (target: string, isDefault: string) => {
        const storageClasses = classes.map((each) => ({
          ...each,
          metadata: {
            ...each.metadata,
            annotations: { 'storageclass.kubernetes.io/is-default-class': String(each.metadata?.name === isDefault) },
          },
        }));
        const caches = cachesOf({ snapshots: [snapshot], storageClasses });
        return restoreSpecOf(caches, source, claim({ spec: { storageClassName: target } })).storageClassName;
      };
      expect(named('a-waiting', 'fast')).to.equal('a-waiting');
      expect(named('0-other', 'fast')).to.equal('fast');
      expect(named('0-other', '0-other')).to.equal('b');
    });

    it('needs a class of its driver', () => {
      const storageClasses = [storageClass('0-other', { provisioner: 'other.example' })];
      const error = refusal(() => restoreSpecOf(cachesOf({ snapshots: [snapshot], storageClasses }), source, claim()));
      expect(error.reason).to.equal('ErrUnableToClone');
      expect(error.message).to.match(/no StorageClass of its driver csi\.example/);
    });
  });
});
