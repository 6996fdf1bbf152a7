import { expect } from 'chai';
import type { DataSource, DataSourceSource } from '../../../src/api/data-source.ts';
import type { DataVolume } from '../../../src/api/data-volume.ts';
import { begunWith, gatherFacts } from '../../../src/controllers/clone/planner/facts.ts';
import type { CloneSource } from '../../../src/controllers/clone/source/source.ts';
import { labelsToCopy } from '../../../src/controllers/data-source/labels.ts';
import { completeGrant } from '../../../src/controllers/data-volume/create.ts';
import { inheritedInstancetype } from '../../../src/controllers/data-volume/default-instancetype.ts';
import { metadataToWrite } from '../../../src/controllers/data-volume/metadata.ts';
import { consenting } from '../../../src/controllers/data-volume/pre-populated.ts';
import { DataVolumeReconciler } from '../../../src/controllers/data-volume/reconciler.ts';
import { claimOfVolume, reservedVolumes } from '../../../src/controllers/data-volume/static-volume.ts';
import { profileOf } from '../../../src/controllers/data-volume/storage-profile.ts';
import { cloneBegunAnnotation } from '../../../src/controllers/objects/internal-annotations.ts';
import { ConfigView } from '../../../src/controllers/runtime/config-view.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../src/kube/builtin-resources.ts';
import { Store } from '../../../src/kube/store.ts';
import { cachesOf } from './caches.ts';

const CLONE_TYPE = 'cdi.kubevirt.io/cloneType';
const PRE_POPULATED = 'cdi.kubevirt.io/storage.prePopulated';
const elsewhere = { namespace: 'golden', name: 'fedora' };
const key = { namespace: 'team', name: 'disk' };
const small = { 'instancetype.kubevirt.io/default-instancetype': 'u1.small' };
const labelled = (labels: Record<string, string>, at = elsewhere): PersistentVolumeClaim => ({
  metadata: { ...at, uid: 'of-claim', labels },
});
const dataVolume = (metadata: DataVolume['metadata'] = {}, spec: DataVolume['spec'] = {}): DataVolume => ({
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind: 'DataVolume',
  metadata: { ...key, uid: 'of-disk', ...metadata },
  spec: { source: { pvc: elsewhere }, storage: {}, ...spec },
});
const dataSource = (at: typeof key, source: DataSourceSource, labels?: Record<string, string>): DataSource => ({
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind: 'DataSource',
  metadata: { ...at, labels },
  spec: { source },
});

describe('labels that are handed on', () => {
  const policies = (isAdmitted: boolean, problem?: string) => ({ problem, hasAdmitted: () => isAdmitted });

  it('go to a DataSource from a DataVolume, its claim, or a snapshot, and are KubeVirt’s', () => {
    const own = dataSource(elsewhere, { pvc: elsewhere }, { 'kubevirt.io/kept': 'yes' });
    const others = { app: 'x', 'cdi.kubevirt.io/dataImportCron': 'x', 'evilkubevirt.io/x': 'x' };
    const of = (contents: Parameters<typeof cachesOf>[0], from = own) =>
      labelsToCopy({ caches: cachesOf(contents), policies: policies(false, 'missing') }, from);
    const importing = dataVolume({ ...elsewhere, labels: { ...small, 'kubevirt.io/os': 'a' } });
    expect(of({ dataVolumes: [importing] })).to.deep.equal({ ...small, 'kubevirt.io/os': 'a' });
    const claims = [labelled({ ...others, 'kubevirt.io/os': 'b' })];
    expect(of({ dataVolumes: [importing], claims })).to.deep.equal({ ...small, 'kubevirt.io/os': 'b' });
    const snapshots = [{ metadata: { ...elsewhere, labels: small }, spec: { source: {} } }];
    expect(of({ snapshots }, dataSource(elsewhere, { snapshot: elsewhere }))).to.deep.equal(small);
    expect(of({ claims: [labelled({ 'kubevirt.io/kept': 'yes' })] })).to.deep.equal({});
  });

  it('go to a DataSource from another namespace only where its author’s right has been checked', () => {
    const caches = cachesOf({ claims: [labelled(small)] });
    const leading = dataSource(key, { pvc: elsewhere });
    expect(labelsToCopy({ caches, policies: policies(true) }, leading)).to.deep.equal(small);
    expect(labelsToCopy({ caches, policies: policies(false) }, leading)).to.deep.equal({});
    expect(labelsToCopy({ caches, policies: policies(true, 'one is missing') }, leading)).to.deep.equal({});
  });

  it('go to a clone from the DataSource or else its source, and from elsewhere only where it is granted', () => {
    const caches = cachesOf({ claims: [labelled(small)] });
    const large = { 'instancetype.kubevirt.io/default-instancetype': 'u1.large' };
    const source = { pvc: elsewhere };
    const of = (isGranted: boolean, through: DataSource[] = [], to = dataVolume()) =>
      inheritedInstancetype(caches, to, { source, through }, isGranted);
    expect(of(true)).to.deep.equal(small);
    expect(of(false)).to.deep.equal({});
    expect(of(true, [dataSource(elsewhere, source, large)])).to.deep.equal(large);
    expect(of(false, [dataSource(elsewhere, source, large)])).to.deep.equal({});
    const preference = { 'instancetype.kubevirt.io/default-preference': 'own' };
    expect(of(true, [], dataVolume({ labels: preference }))).to.deep.equal({});
  });
});

describe('the annotation cloneType of a claim', () => {
  const source = { kind: 'PersistentVolumeClaim', key: elsewhere } as CloneSource;
  const config = new ConfigView({ cdis: new Store(), cdiConfigs: new Store() } as never, {
    image: 'i',
    namespace: 'cdi',
  });
  const target = (annotations: Record<string, string>): PersistentVolumeClaim => ({
    metadata: { ...key, uid: 'of-target', annotations },
  });
  const wishOf = (claim: PersistentVolumeClaim) => gatherFacts({ caches: cachesOf({}), config }, claim, source).wish;

  it('is a wish until the clone has begun, and its record from then on', () => {
    const wish = target({ [CLONE_TYPE]: 'copy' });
    expect([wishOf(wish), begunWith(wish)]).to.deep.equal(['copy', undefined]);
    const begun = target({ [CLONE_TYPE]: 'copy', [cloneBegunAnnotation]: 'of-target' });
    expect([wishOf(begun), begunWith(begun)]).to.deep.equal([undefined, 'copy']);
    const copied = target({ [CLONE_TYPE]: 'copy', [cloneBegunAnnotation]: 'of-another' });
    expect([wishOf(copied), begunWith(copied)]).to.deep.equal(['copy', undefined]);
    expect(wishOf(target({ [CLONE_TYPE]: 'fast' }))).to.equal(undefined);
  });

  it('is told on the DataVolume once it is no wish', () => {
    expect(metadataToWrite(dataVolume(), target({ [CLONE_TYPE]: 'copy' }))).to.equal(undefined);
    const begun = target({ [CLONE_TYPE]: 'snapshot', [cloneBegunAnnotation]: 'of-target' });
    const annotations = { [CLONE_TYPE]: 'snapshot' };
    expect(metadataToWrite(dataVolume(), begun)).to.deep.equal({ annotations });
    expect(metadataToWrite(dataVolume({ annotations }), begun)).to.equal(undefined);
    const direct = target({ 'k8s.io/CloneRequest': 'golden/fedora' });
    expect(metadataToWrite(dataVolume(), direct)).to.deep.equal({ annotations: { [CLONE_TYPE]: 'copy' } });
    expect(metadataToWrite(dataVolume({}, { source: { blank: {} } }), begun)).to.equal(undefined);
  });
});

describe('a DataVolume that is populated already', () => {
  const annotations = { [PRE_POPULATED]: key.name };
  /** What it asks of the API server; anything but its own status is a failure. */
  async function statusOf(given: DataVolume, claims: PersistentVolumeClaim[] = []) {
    const told: { status?: DataVolume['status'] }[] = [];
    const context = {
      caches: cachesOf({ dataVolumes: [given], claims }),
      client: { applyStatus: async (_: unknown, object: object) => (told.push(object), given) },
      events: { event: () => undefined },
      now: () => 0,
    };
    await new DataVolumeReconciler(context as never).reconcile(key);
    return told[0]?.status;
  }

  for (const [what, source] of Object.entries({
    'an import': { http: { url: 'http://server/disk.img' } },
    'a clone from another namespace': { pvc: elsewhere },
    'an upload': { upload: {} },
  }))
    it(`waits for its claim and makes nothing, as ${what}`, async () => {
      const status = await statusOf(dataVolume({ annotations }, { source }));
      expect(status).to.include({ phase: 'Pending', progress: 'N/A' });
      expect(status?.conditions?.find(({ type }) => type === 'Running')?.message).to.include('has the data already');
    });

  it('waits again, and has not failed, where its status was restored before its claim', async () => {
    const given = { ...dataVolume({ annotations }), status: { phase: 'Succeeded' as const } };
    expect(await statusOf(given)).to.include({ phase: 'Pending' });
  });

  it('is granted nothing while its claim is not bound', async () => {
    const claim = { metadata: { ...key, annotations: { 'cdi.kubevirt.io/storage.populatedFor': key.name } } };
    const context = { caches: cachesOf({ cloneGrants: [] }) };
    await completeGrant(context as never, dataVolume(), claim);
  });

  it('consents to the claim of its name, unless it says otherwise', () => {
    const consentOf = (given: Record<string, string>) =>
      consenting(dataVolume({ annotations: given })).metadata.annotations?.['cdi.kubevirt.io/allowClaimAdoption'];
    expect(consentOf(annotations)).to.equal('true');
    expect(consentOf({ ...annotations, 'cdi.kubevirt.io/allowClaimAdoption': 'false' })).to.equal('false');
    expect(consentOf({ [PRE_POPULATED]: 'another' })).to.equal(undefined);
  });
});

describe('volumes that were made by hand', () => {
  const volume = (name: string, spec: PersistentVolume['spec']): PersistentVolume => ({ metadata: { name }, spec });

  it('are reserved where they name the claim, which has none of them yet, and the DataVolume asks', () => {
    const asking = dataVolume({ annotations: { 'cdi.kubevirt.io/storage.checkStaticVolume': '' } });
    const of = (claimRef: object, given = asking) =>
      reservedVolumes(cachesOf({ volumes: [volume('v', { claimRef })] }), given)[0]?.metadata?.name;
    expect(of(key)).to.equal('v');
    expect(of(key, dataVolume())).to.equal(undefined);
    expect(of({ ...key, uid: 'of-an-earlier-one' })).to.equal(undefined);
    expect(of({ ...key, namespace: 'other' })).to.equal(undefined);
  });

  it('are bound by the first that fits, without what would fill it', () => {
    const dataSourceRef = { apiGroup: 'cdi.kubevirt.io', kind: 'VolumeImportSource', name: 'x' };
    const pvc = { accessModes: ['ReadWriteOnce' as const], resources: { requests: { storage: '2Gi' } }, dataSourceRef };
    const given: DataVolume = { ...dataVolume(), spec: { pvc } };
    const reserved = (name: string, storage: string, mode = 'ReadWriteOnce') =>
      volume(name, { capacity: { storage }, accessModes: [mode], storageClassName: 'c', claimRef: key });
    const bound = (...volumes: PersistentVolume[]) => claimOfVolume(cachesOf({ volumes }), given, volumes);
    const claim = bound(reserved('small', '1Gi'), reserved('fitting', '3Gi'));
    expect(claim.spec).to.deep.include({ volumeName: 'fitting', storageClassName: 'c' });
    expect(claim.spec).to.not.have.property('dataSourceRef');
    expect(() => bound(reserved('small', '1Gi'), reserved('shared', '3Gi', 'ReadOnlyMany'))).to.throw(
      /"small" .* has 1Gi, .*"shared" .* no access mode ReadWriteOnce/,
    );
  });

  it('tell the modes of a class that is only a name: the smallest free one that is large enough first', () => {
    const made = (name: string, storage: string, mode: string, more: object = {}) =>
      volume(name, { storageClassName: 'name', capacity: { storage }, accessModes: [mode], ...more });
    const volumes = [
      made('small', '1Gi', 'ReadWriteMany'),
      made('large', '9Gi', 'ReadOnlyMany'),
      made('fitting', '5Gi', 'ReadWriteOnce', { volumeMode: 'Block' }),
      made('taken', '5Gi', 'ReadWriteOncePod', { claimRef: { namespace: 'other', name: 'x' } }),
    ];
    const storage = { resources: { requests: { storage: '4Gi' } } };
    const profile = profileOf(cachesOf({ volumes }), 'name', { storage }, key);
    expect(profile?.status?.claimPropertySets).to.deep.equal([
      { accessModes: ['ReadWriteOnce'], volumeMode: 'Block' },
      { accessModes: ['ReadOnlyMany'], volumeMode: 'Filesystem' },
      { accessModes: ['ReadWriteMany'], volumeMode: 'Filesystem' },
    ]);
    expect(() => profileOf(cachesOf({}), 'name', { storage }, key)).to.throw('class "name", which is only a name');
    expect(() => profileOf(cachesOf({}), '', { storage }, key)).to.throw('of no class');
  });
});

describe('the class of scratch space', () => {
  it('is the chosen one where it is there', () => {
    const spec = { scratchSpaceStorageClass: 'fast' };
    const cdiConfigs = new Store();
    cdiConfigs.set({ metadata: { name: 'config' }, spec } as never);
    const classOf = (names: string[]) => {
      const storageClasses = names.map((name) => ({ metadata: { name }, provisioner: 'p' }));
      const caches = { ...cachesOf({ storageClasses }), cdis: new Store(), cdiConfigs };
      return new ConfigView(caches as never, { image: 'i', namespace: 'cdi' }).scratchSpaceStorageClass;
    };
    expect(classOf(['fast'])).to.equal('fast');
    expect(classOf(['slow'])).to.equal(undefined);
  });
});
