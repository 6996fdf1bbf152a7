import { expect } from 'chai';
import type { DataSource } from '../../../../src/api/data-source.ts';
import type { DataVolume } from '../../../../src/api/data-volume.ts';
import type { Contents } from '../../../../src/controllers/takeover/contents.ts';
import { outlooksFor } from '../../../../src/controllers/takeover/outlooks.ts';
import type { PersistentVolumeClaim, Pod } from '../../../../src/kube/builtin-resources.ts';
import type { KubeObject } from '../../../../src/kube/resource.ts';
import {
  dataVolumeOfCdi,
  podOfCdi,
  primeClaimOfCdi,
  targetClaimOfCdi,
  temporaryClaimOfCdi,
} from '../../../support/cdi/claims.ts';
import { cronJobOfCdi, deploymentOfCdi, ownedByCdi, webhookOfCdi } from '../../../support/cdi/installation.ts';

const DISK = { namespace: 'team', name: 'disk' };
const POD_PHASE = 'cdi.kubevirt.io/storage.pod.phase';
const COPIED = 'cdi.kubevirt.io/storage.checkpoint.copied.snapshot-1';
const http = { source: { http: { url: 'http://server/disk.img' } } };
const imageio = {
  source: { imageio: { url: 'https://engine/ovirt-engine/api', diskId: 'disk', secretRef: 'engine' } },
};
const stages = [
  { previous: '', current: 'snapshot-1' },
  { previous: 'snapshot-1', current: 'snapshot-2' },
];

const nothing: Contents = {
  dataVolumes: [],
  claims: [],
  pods: [],
  dataSources: [],
  dataImportCrons: [],
  cloneSources: [],
  storageProfiles: [],
  cdis: [],
  objectTransfers: [],
  deployments: [],
  cronJobs: [],
  crds: [],
  validatingWebhooks: [],
  mutatingWebhooks: [],
  apiServices: [],
};

const withUid = <T extends KubeObject>(object: T, uid: string): T => ({
  ...object,
  metadata: { ...object.metadata, uid },
});

interface Begun {
  readonly kind?: 'Import' | 'Upload' | 'Clone';
  readonly spec?: Partial<DataVolume['spec']>;
  readonly phase?: NonNullable<DataVolume['status']>['phase'];
  readonly target?: Record<string, string>;
  readonly prime?: Record<string, string>;
  readonly pod?: { role: 'importer' | 'cdi-upload-server'; status: Pod['status'] };
}

/** A DataVolume that CDI has begun. */
function begun({ kind = 'Import', spec = http, phase = 'ImportInProgress', ...made }: Begun): Partial<Contents> {
  const dataVolume = { ...withUid(dataVolumeOfCdi(DISK, spec), 'of-dv'), status: { phase } };
  const target = withUid(targetClaimOfCdi(dataVolume, kind, 'csi', made.target), 'of-target');
  const prime = made.prime && withUid(primeClaimOfCdi(target, made.prime), 'of-prime');
  const pod = made.pod && { ...podOfCdi(prime ?? target, { name: 'worker', role: made.pod.role }), ...made.pod };
  return { dataVolumes: [dataVolume], claims: [target, ...(prime ? [prime] : [])], pods: pod ? [pod] : [] };
}

const of = (contents: Partial<Contents>) =>
  outlooksFor({ ...nothing, ...contents }).map(({ kind, name, fate }) => `${fate}: ${kind} ${name}`);
const whyOf = (contents: Partial<Contents>) => outlooksFor({ ...nothing, ...contents })[0]?.why;

const running: Pod['status'] = {
  phase: 'Running',
  containerStatuses: [{ name: 'importer', state: { running: {} } } as never],
};
const failing: Pod['status'] = {
  phase: 'Running',
  containerStatuses: [{ name: 'importer', state: { waiting: { reason: 'CrashLoopBackOff' } } } as never],
};

describe('what becomes of a cluster of CDI', () => {
  const cases: Record<string, readonly [fate: string, Begun]> = {
    'a DataVolume that has succeeded': ['kept', { phase: 'Succeeded', target: { [POD_PHASE]: 'Pending' } }],
    'an import that nothing has begun of': ['goes on', {}],
    'an import that is complete': ['goes on', { prime: { [POD_PHASE]: 'Succeeded' } }],
    'an import whose pod is running': ['goes on', { prime: {}, pod: { role: 'importer', status: running } }],
    'an import whose pod fails': ['starts again', { prime: {}, pod: { role: 'importer', status: failing } }],
    'an upload': [
      'starts again',
      {
        kind: 'Upload',
        spec: { source: { upload: {} } },
        prime: {},
        pod: { role: 'cdi-upload-server', status: running },
      },
    ],
    'a clone within the namespace': [
      'starts again',
      {
        kind: 'Clone',
        spec: { source: { pvc: { namespace: 'team', name: 'own' } } },
        target: { 'cdi.kubevirt.io/clonePhase': 'HostClone' },
      },
    ],
    'a clone that is being handed over': [
      'goes on',
      {
        kind: 'Clone',
        spec: { source: { pvc: { namespace: 'team', name: 'own' } } },
        target: { 'cdi.kubevirt.io/clonePhase': 'Rebind' },
      },
    ],
    'a clone from another namespace': [
      'blocked',
      { kind: 'Clone', spec: { source: { pvc: { namespace: 'golden', name: 'fedora' } } } },
    ],
    'an import before its first stage': ['goes on', { spec: { ...imageio, checkpoints: stages } }],
    'an import between two stages': [
      'blocked',
      { spec: { ...imageio, checkpoints: stages }, prime: { [COPIED]: 'pod' } },
    ],
    'an import before its final stage': [
      'blocked',
      { spec: { ...imageio, checkpoints: stages, finalCheckpoint: true }, prime: { [COPIED]: 'pod' } },
    ],
  };
  for (const [what, [fate, made]] of Object.entries(cases)) {
    it(`${what}: ${fate}`, () => {
      expect(of(begun(made))).to.deep.equal([`${fate}: DataVolume disk`]);
    });
  }

  it('finds clones from other namespaces behind DataSources', () => {
    const contents = begun({ kind: 'Clone', spec: { sourceRef: { kind: 'DataSource', name: 'latest' } } });
    const dataSource = {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'DataSource',
      metadata: { namespace: 'team', name: 'latest' },
      spec: { source: { pvc: { namespace: 'golden', name: 'fedora' } } },
    } satisfies DataSource;
    expect(of({ ...contents, dataSources: [dataSource] })[0]).to.equal('blocked: DataVolume disk');
  });

  it('says what could not be made again', () => {
    const spec = { ...http, storage: {} };
    expect(whyOf(begun({ spec, phase: 'Succeeded' }))).to.match(/could not be made again \(spec.*size/);
  });

  it('judges claims without a DataVolume, and finds what was left of clones', () => {
    const claim = (annotations: Record<string, string>): PersistentVolumeClaim => ({
      metadata: { ...DISK, uid: 'of-claim', annotations },
      spec: {},
    });
    const source = { 'cdi.kubevirt.io/storage.import.source': 'http' };
    expect(of({ claims: [claim({ ...source, [POD_PHASE]: 'Succeeded' })] })).to.deep.equal([
      'kept: PersistentVolumeClaim disk',
    ]);
    expect(of({ claims: [claim(source)] })).to.deep.equal(['goes on: PersistentVolumeClaim disk']);
    expect(of({ claims: [claim({ 'k8s.io/CloneRequest': 'golden/fedora' })] })[0]).to.match(/^blocked/);
    expect(of({ claims: [claim({})] })).to.deep.equal([]);
    const temporary = temporaryClaimOfCdi(claim({}), { namespace: 'golden', name: 'fedora' });
    expect(of({ claims: [temporary] })).to.deep.equal(['kept: PersistentVolumeClaim tmp-pvc-of-claim']);
    expect(of({ claims: [claim({}), temporary] })).to.deep.equal([]);
  });

  it('is blocked by the installation of CDI, and says what to do', () => {
    const crd = (name: string, storedVersions: string[], ownerReferences: unknown[] = []) =>
      ({
        metadata: { name, ownerReferences },
        spec: { group: 'cdi.kubevirt.io' },
        status: { storedVersions },
      }) as never;
    const contents: Partial<Contents> = {
      deployments: [
        deploymentOfCdi('cdi-operator', 'cdi-operator'),
        deploymentOfCdi('cdi-deployment', 'cdi-controller'),
        deploymentOfCdi('cdi-apiserver', 'diskpress'),
      ] as never,
      validatingWebhooks: [webhookOfCdi('Validating', 'cdi-api-datavolume-validate', 'datavolumes')] as never,
      mutatingWebhooks: [
        webhookOfCdi('Mutating', 'cdi-api-datavolume-mutate', 'datavolumes'),
        webhookOfCdi('Mutating', 'cdi-api-pvc-mutate', 'persistentvolumeclaims'),
      ] as never,
      apiServices: [
        { metadata: { name: 'v1beta1.upload.cdi.kubevirt.io' }, spec: { group: 'upload.cdi.kubevirt.io' } },
        { metadata: { name: 'v1alpha1.upload.cdi.kubevirt.io' }, spec: { group: 'upload.cdi.kubevirt.io' } },
      ] as never,
      crds: [
        crd('datavolumes.cdi.kubevirt.io', ['v1alpha1', 'v1beta1'], ownedByCdi),
        crd('cdis.cdi.kubevirt.io', ['v1alpha1', 'v1beta1']),
        crd('cdiconfigs.cdi.kubevirt.io', ['v1beta1']),
        { metadata: { name: 'others.example.com' }, spec: { group: 'example.com' } } as never,
      ],
      cronJobs: [cronJobOfCdi('fedora')] as never,
    };
    expect(of(contents)).to.deep.equal([
      'blocked: APIService v1alpha1.upload.cdi.kubevirt.io',
      'blocked: CronJob fedora-8fb2f9d2',
      'blocked: CustomResourceDefinition cdis.cdi.kubevirt.io',
      'blocked: CustomResourceDefinition datavolumes.cdi.kubevirt.io',
      'blocked: Deployment cdi-deployment',
      'blocked: Deployment cdi-operator',
      'blocked: MutatingWebhookConfiguration cdi-api-datavolume-mutate',
      'blocked: ValidatingWebhookConfiguration cdi-api-datavolume-validate',
      'kept: CustomResourceDefinition cdiconfigs.cdi.kubevirt.io',
    ]);
  });
});
