import { expect } from 'chai';
import type { DataSource, DataSourceSource } from '../../../../src/api/data-source.ts';
import type { DataVolume, DataVolumeStatus } from '../../../../src/api/data-volume.ts';
import { observeDataSource } from '../../../../src/controllers/data-source/readiness.ts';
import { sourceOf } from '../../../../src/controllers/data-volume/clone-source.ts';
import type { PersistentVolumeClaim } from '../../../../src/kube/builtin-resources.ts';
import { cachesOf } from '../caches.ts';

const namespace = 'golden';
const pvc = { namespace, name: 'fedora-42' };
const dataSource = (name: string, source: DataSourceSource): DataSource => ({
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind: 'DataSource',
  metadata: { namespace, name },
  spec: { source },
});
const dataVolume = (key: { namespace: string; name: string }, spec: object, status?: DataVolumeStatus): DataVolume => ({
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind: 'DataVolume',
  metadata: { ...key, uid: `uid-${key.name}` },
  spec: { storage: {}, ...spec },
  ...(status ? { status } : {}),
});
const bound: PersistentVolumeClaim = { metadata: pvc, spec: { volumeName: 'pv' }, status: { phase: 'Bound' } };

describe('a DataSource', () => {
  const of = (source: DataSourceSource, contents: Parameters<typeof cachesOf>[0] = {}) => {
    const own = dataSource('fedora', source);
    return observeDataSource(cachesOf({ ...contents, dataSources: [own, ...(contents.dataSources ?? [])] }), own);
  };

  it('is ready when its claim is', () => {
    expect(of({ pvc }, { claims: [bound] }).condition).to.include({ status: 'True', reason: 'Ready' });
    const done = dataVolume(pvc, { source: { blank: {} } }, { phase: 'Succeeded' });
    expect(of({ pvc }, { claims: [bound], dataVolumes: [done] }).condition.status).to.equal('True');
  });

  it('is ready when its snapshot is', () => {
    const snapshot = { metadata: pvc, spec: { source: {} } };
    const unready = of({ snapshot: pvc }, { snapshots: [snapshot] });
    expect(unready.condition).to.include({ status: 'False', reason: 'SnapshotNotReady' });
    const ready = of({ snapshot: pvc }, { snapshots: [{ ...snapshot, status: { readyToUse: true } }] });
    expect(ready.condition.status).to.equal('True');
  });

  it('says what it waits for', () => {
    const importing = dataVolume(pvc, { source: { blank: {} } }, { phase: 'ImportInProgress' });
    expect(of({ pvc }, { dataVolumes: [importing] }).condition.reason).to.equal('ImportInProgress');
    expect(of({ pvc }).condition).to.include({ status: 'False', reason: 'NotFound' });
    expect(of({ snapshot: pvc }).condition).to.include({ status: 'False', reason: 'NotFound' });
    expect(of({}).condition).to.include({ status: 'False', reason: 'NoSource' });
  });

  it('stands for what the one that it refers to stands for', () => {
    const other = dataSource('fedora-latest', { pvc });
    const { source, condition } = of(
      { dataSource: { namespace, name: 'fedora-latest' } },
      { dataSources: [other], claims: [bound] },
    );
    expect(source).to.deep.equal({ pvc });
    expect(condition.status).to.equal('True');
  });

  it('may refer to another one only once, and not to itself', () => {
    const reference = (name: string) => ({ dataSource: { namespace, name } });
    const dataSources = [dataSource('a', reference('b')), dataSource('b', { pvc })];
    expect(of(reference('a'), { dataSources }).condition.reason).to.equal('MaxReferenceDepthReached');
    expect(of(reference('fedora')).condition.reason).to.equal('SelfReference');
    expect(of(reference('nothing')).condition.reason).to.equal('NotFound');
  });
});

describe('a DataVolume that is cloned from a DataSource', () => {
  const clone = dataVolume(
    { namespace: 'team-a', name: 'vm' },
    { sourceRef: { kind: 'DataSource', namespace, name: 'fedora' } },
  );

  it('is cloned from what it stands for', () => {
    expect(sourceOf(cachesOf({ dataSources: [dataSource('fedora', { pvc })] }), clone).source).to.deep.equal({ pvc });
  });

  it('waits for it', () => {
    expect(() => sourceOf(cachesOf({}), clone)).to.throw(/DataSource golden\/fedora does not exist/);
    expect(() => sourceOf(cachesOf({ dataSources: [dataSource('fedora', {})] }), clone))
      .to.throw(/names nothing to clone yet/)
      .with.property('reason', 'CloneWithoutSource');
  });

  it('looks in its own namespace where none is named', () => {
    const own = dataVolume({ namespace, name: 'vm' }, { sourceRef: { kind: 'DataSource', name: 'fedora' } });
    expect(sourceOf(cachesOf({ dataSources: [dataSource('fedora', { pvc })] }), own).source).to.deep.equal({ pvc });
  });

  it('tells which DataSources led to what it is cloned from', () => {
    const first = dataSource('fedora', { dataSource: { namespace, name: 'latest' } });
    const latest = dataSource('latest', { pvc });
    const { through } = sourceOf(cachesOf({ dataSources: [first, latest] }), clone);
    expect(through).to.deep.equal([first, latest]);
  });
});
