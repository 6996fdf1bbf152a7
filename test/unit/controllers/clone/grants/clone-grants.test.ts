import { expect } from 'chai';
import fc from 'fast-check';
import type { CloneGrant } from '../../../../../src/api/clone-grant.ts';
import type { DataSource, DataSourceSource } from '../../../../../src/api/data-source.ts';
import type { DataVolume } from '../../../../../src/api/data-volume.ts';
import { requireAuthority } from '../../../../../src/controllers/clone/grants/authority.ts';
import { decideGrant, requireSameNamespaces } from '../../../../../src/controllers/clone/grants/issue.ts';
import type { ClonedObject } from '../../../../../src/controllers/clone/source/cloned-object.ts';
import { AdmissionPolicies } from '../../../../../src/controllers/runtime/admission-policies.ts';
import type { PersistentVolumeClaim } from '../../../../../src/kube/builtin-resources.ts';
import { rejection } from '../../../../support/rejection.ts';
import { cachesOf } from '../../caches.ts';
import { installedPolicies } from '../../policies.ts';

const TEAM = 'team';
const GOLDEN = 'golden';
const source: ClonedObject = { kind: 'PersistentVolumeClaim', key: { namespace: GOLDEN, name: 'fedora' } };
const key = { namespace: TEAM, name: 'vm' };

const dataVolume = (metadata: DataVolume['metadata'] = {}, spec: Partial<DataVolume['spec']> = {}): DataVolume => ({
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind: 'DataVolume',
  metadata: { ...key, uid: 'dv-1', creationTimestamp: '2026-01-02T00:00:00Z', ...metadata },
  spec: { source: { pvc: source.key }, storage: {}, ...spec },
});
const owner = { apiVersion: 'cdi.kubevirt.io/v1beta1', kind: 'DataVolume', name: 'vm', uid: 'dv-1', controller: true };
const claim = (metadata: PersistentVolumeClaim['metadata'] = {}): PersistentVolumeClaim => ({
  metadata: { ...key, uid: 'claim-1', ownerReferences: [owner], ...metadata },
});
const grant = (spec: Partial<CloneGrant['spec']> = {}): CloneGrant => ({
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind: 'CloneGrant',
  metadata: { name: 'dv-1', creationTimestamp: '2026-01-02T00:00:01Z' },
  spec: {
    dataVolume: { ...key, uid: 'dv-1' },
    claimUid: 'claim-1',
    source: { kind: source.kind, ...source.key, uid: 'source-1' },
    ...spec,
  },
});

function refusal(work: () => unknown): { name: string; reason: string; message: string } {
  try {
    work();
  } catch (error) {
    return error as { name: string; reason: string; message: string };
  }
  throw new Error('it was not refused');
}

describe('the authority to clone from another namespace', () => {
  const caches = { dataVolumes: [dataVolume()], cloneGrants: [grant()] };
  const authority = (contents: Parameters<typeof cachesOf>[0], target = claim(), from = source) =>
    requireAuthority(cachesOf(contents), target, from, Date.parse('2026-01-03T00:00:00Z'));

  it('is a CloneGrant for this DataVolume, this claim and this source, of which it tells the uid', () => {
    expect(authority(caches)).to.equal('source-1');
  });

  it('is not needed within a namespace', () => {
    const own = { ...source, key: { namespace: TEAM, name: 'fedora' } };
    expect(authority({}, claim({ ownerReferences: [] }), own)).to.equal(undefined);
  });

  const refused: Record<string, () => unknown> = {
    'a claim without a DataVolume': () => authority(caches, claim({ ownerReferences: [] })),
    'a claim whose owner reference is not that of a controller': () =>
      authority(caches, claim({ ownerReferences: [{ ...owner, controller: false }] })),
    'a claim of another name than the DataVolume': () => authority(caches, claim({ name: 'vm-2' })),
    'a claim of a DataVolume of another API': () =>
      authority(caches, claim({ ownerReferences: [{ ...owner, apiVersion: 'example/v1' }] })),
    'a claim of a DataVolume that is gone': () => authority({ ...caches, dataVolumes: [dataVolume({ uid: 'dv-2' })] }),
    'a second claim of the same DataVolume': () => authority(caches, claim({ uid: 'claim-2' })),
    'another claim of the source’s namespace': () =>
      authority(caches, claim(), { ...source, key: { namespace: GOLDEN, name: 'payroll' } }),
    'a claim of the source’s name elsewhere': () =>
      authority(caches, claim(), { ...source, key: { namespace: 'victim', name: 'fedora' } }),
    'a snapshot of the claim’s name': () => authority(caches, claim(), { ...source, kind: 'VolumeSnapshot' }),
    'a claim of a DataVolume that is not a clone': () =>
      authority({ dataVolumes: [dataVolume({}, { source: { blank: {} } })] }),
  };
  for (const [what, attempt] of Object.entries(refused)) {
    it(`is not there for ${what}`, () =>
      expect(refusal(attempt)).to.include({ name: 'TerminalError', reason: 'Forbidden' }));
  }

  it('is used up when the clone is complete, and gone after a month', () => {
    const used = { ...grant(), metadata: { name: 'dv-1', annotations: { 'cdi.kubevirt.io/clone.completed': 'then' } } };
    expect(refusal(() => authority({ ...caches, cloneGrants: [used] }))).to.include({ reason: 'Forbidden' });
    const old = { ...grant(), metadata: { name: 'dv-1', creationTimestamp: '2025-12-03T00:00:00Z' } };
    expect(refusal(() => authority({ ...caches, cloneGrants: [old] }))).to.include({ reason: 'CloneRightExpired' });
  });

  it('is waited for while it is not recorded yet', () => {
    expect(refusal(() => authority({ dataVolumes: [dataVolume()] }))).to.include({
      name: 'WaitingError',
      reason: 'CloneNotGranted',
    });
  });

  it('is there for nothing that a tenant can write, whatever that is', () => {
    const names = fc.constantFrom('vm', 'vm-2', 'fedora', 'payroll', 'dv-1');
    const uids = fc.constantFrom('dv-1', 'dv-2', 'claim-1', 'claim-2', 'source-1');
    const annotations = fc.dictionary(
      fc.constantFrom(
        'k8s.io/CloneRequest',
        'cdi.kubevirt.io/dataSourceNamespace',
        'cdi.kubevirt.io/storage.clone.token',
        'cdi.kubevirt.io/createdForDataVolume',
        'cdi.kubevirt.io/clone.begunFor',
        'cdi.kubevirt.io/storage.populatedFor',
      ),
      fc.constantFrom('victim/fedora', 'golden/payroll', 'victim', 'golden', 'true', 'dv-1', 'claim-1', 'vm'),
    );
    const owners = fc.array(
      fc.record({
        apiVersion: fc.constantFrom('cdi.kubevirt.io/v1beta1', 'cdi.kubevirt.io/v1alpha1', 'v1'),
        kind: fc.constantFrom('DataVolume', 'PersistentVolumeClaim'),
        name: names,
        uid: uids,
        controller: fc.boolean(),
      }),
      { maxLength: 2 },
    );
    const target = fc.record({ name: names, uid: uids, annotations, ownerReferences: owners });
    const tenants = fc.record({ name: names, uid: fc.constantFrom('dv-2', 'dv-3'), annotations });
    const kinds = fc.constantFrom('PersistentVolumeClaim' as const, 'VolumeSnapshot' as const);
    const named = fc.record({ namespace: fc.constantFrom(GOLDEN, 'victim'), name: names });
    const phase = fc.constantFrom('Pending' as const, 'Succeeded' as const, '' as const);
    fc.assert(
      fc.property(target, fc.array(tenants), kinds, named, phase, (metadata, others, kind, from, told) => {
        const granted = { ...dataVolume(), status: { phase: told } };
        const written = others.map((each) => dataVolume(each, { source: { pvc: from } }));
        const contents = { dataVolumes: [...written, granted], cloneGrants: [grant()] };
        const isGranted =
          metadata.name === 'vm' &&
          metadata.uid === 'claim-1' &&
          kind === source.kind &&
          from.namespace === GOLDEN &&
          from.name === 'fedora';
        const attempt = () => authority(contents, { metadata: { namespace: TEAM, ...metadata } }, { kind, key: from });
        if (!isGranted) expect(attempt).to.throw();
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a CloneGrant', () => {
  const NOW = '2026-01-02T01:00:00Z';
  const found = [{ metadata: { ...source.key, uid: 'source-1' } }];
  const policies = installedPolicies('2026-01-01T00:00:00Z');
  const through = (from: DataSourceSource, creationTimestamp = '2026-01-01T12:00:00Z'): DataSource => ({
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataSource',
    metadata: { namespace: GOLDEN, name: 'latest', creationTimestamp },
    spec: { source: from },
  });

  const decide = (
    contents: Parameters<typeof cachesOf>[0],
    { now = NOW, made = dataVolume(), dataSources = [] as DataSource[] } = {},
  ) => {
    const caches = cachesOf({ ...policies, ...contents });
    const clock = () => Date.parse(now);
    return decideGrant(
      { caches, policies: new AdmissionPolicies(caches, 'cdi', clock), now: clock },
      made,
      source,
      dataSources,
    );
  };

  it('is for the object that has the name of the source', () => {
    expect(decide({ claims: found })).to.deep.equal({ ...source, uid: 'source-1' });
  });

  it('waits for a source that is not there, or goes', () => {
    expect(refusal(() => decide({}))).to.include({ name: 'WaitingError', reason: 'CloneWithoutSource' });
    const going = [{ metadata: { ...found[0]?.metadata, deletionTimestamp: NOW } }];
    expect(refusal(() => decide({ claims: going })).reason).to.equal('CloneWithoutSource');
  });

  it('is not made any more a day after the user’s right was checked', () => {
    const now = '2026-01-03T00:00:01Z';
    expect(refusal(() => decide({ claims: found }, { now }))).to.include({
      name: 'TerminalError',
      reason: 'CloneRightExpired',
    });
    expect(refusal(() => decide({}, { now })).reason).to.equal('CloneRightExpired');
  });

  it('waits while the policies are not in force, and says which', () => {
    const error = refusal(() => decide({ claims: found, policyBindings: [] }));
    expect(error).to.include({ name: 'WaitingError', reason: 'PolicyMissing' });
    expect(error.message).to.match(/ValidatingAdmissionPolicyBinding "clone-by-annotation.cdi.kubevirt.io" is missing/);
  });

  it('is refused for a DataVolume that was made while nobody checked', () => {
    const made = dataVolume({ creationTimestamp: '2026-01-01T00:00:09Z' });
    const error = refusal(() => decide({ claims: found }, { made, now: '2026-01-01T01:00:00Z' }));
    expect(error).to.include({ name: 'TerminalError', reason: 'PolicyMissing' });
  });

  it('is refused where a DataSource that leads elsewhere was made while nobody checked', () => {
    const old = '2025-12-31T00:00:00Z';
    const elsewhere = through({ pvc: { namespace: 'victim', name: 'fedora' } }, old);
    expect(refusal(() => decide({ claims: found }, { dataSources: [elsewhere] }))).to.include({
      name: 'TerminalError',
      reason: 'PolicyMissing',
    });
    decide({ claims: found }, { dataSources: [through({ pvc: source.key }, old)] });
    decide({ claims: found }, { dataSources: [through({ pvc: { namespace: 'victim', name: 'fedora' } })] });
  });

  describe('for what came after the right to it was checked', () => {
    const [before, at, after] = ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', '2026-01-02T00:30:00Z'];
    const caches = (creationTimestamp: string) =>
      cachesOf({ claims: [{ metadata: { ...source.key, uid: 'source-1', creationTimestamp } }] });
    const client = (made: Record<string, string>) => ({
      get: async (_: unknown, { name }: { name: string }) => ({ metadata: { creationTimestamp: made[name] } }),
    });
    const attempt = (sourceMade: string, namespaces: Record<string, string>, chain: DataSource[] = []) =>
      requireSameNamespaces(
        { client: client(namespaces) as never, caches: caches(sourceMade) },
        dataVolume({ creationTimestamp: at }),
        source,
        chain,
      );

    it('is made in the namespace that the right was checked for', () => attempt(after, { [GOLDEN]: before }));

    it('is refused in one that was made anew', async () => {
      expect(await rejection(attempt(after, { [GOLDEN]: after }))).to.include({
        name: 'TerminalError',
        reason: 'CloneRightExpired',
      });
    });

    it('asks for nothing where the source was there before', () => attempt(before, {}));

    it('is refused where a DataSource leads to a namespace that was made anew since', async () => {
      const leading: DataSource = {
        ...through({ pvc: source.key }, before),
        metadata: { namespace: TEAM, name: 'old-friend', creationTimestamp: before },
      };
      await attempt(at, { [GOLDEN]: '2025-12-01T00:00:00Z' }, [leading]);
      const refused = await rejection(attempt(at, { [GOLDEN]: at }, [leading]));
      expect(refused).to.include({ name: 'TerminalError', reason: 'CloneRightExpired' });
      expect(String(refused)).to.match(/make DataSource team\/old-friend anew/);
    });
  });
});
