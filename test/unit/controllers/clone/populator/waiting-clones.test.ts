import { expect } from 'chai';
import type { VolumeCloneSource } from '../../../../../src/api/volume-clone-source.ts';
import { ReportedStates } from '../../../../../src/controllers/clone/populator/reported-states.ts';
import {
  clonesWaitingFor,
  clonesWaitingForPod,
  clonesWaitingForVolume,
} from '../../../../../src/controllers/clone/populator/waiting-clones.ts';
import type { Caches } from '../../../../../src/controllers/runtime/caches.ts';
import { pendingReport, reportAnnotations } from '../../../../../src/controllers/transfers/transfer-report.ts';
import type { PersistentVolumeClaim } from '../../../../../src/kube/builtin-resources.ts';
import { Store } from '../../../../../src/kube/store.ts';

const golden = { namespace: 'images', name: 'golden' };

function cloneSource(name: string, kind: string): VolumeCloneSource {
  return {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'VolumeCloneSource',
    metadata: { namespace: 'team', name, annotations: { 'cdi.kubevirt.io/dataSourceNamespace': golden.namespace } },
    spec: { source: { kind, name: golden.name } },
  };
}

function target(name: string, reason: string): PersistentVolumeClaim {
  return {
    metadata: { namespace: 'team', name, annotations: reportAnnotations(pendingReport(0, { reason, message: '' })) },
    spec: { dataSourceRef: { apiGroup: 'cdi.kubevirt.io', kind: 'VolumeCloneSource', name } },
  };
}

/** Three clones of the claim, one of the snapshot of its name; the second goes on without its source. */
function waiting(): Pick<Caches, 'cloneSources' | 'claims'> {
  const cloneSources = new Store<VolumeCloneSource>();
  for (const name of ['one', 'two', 'three']) cloneSources.set(cloneSource(name, 'PersistentVolumeClaim'));
  cloneSources.set(cloneSource('four', 'VolumeSnapshot'));
  const claims = new Store<PersistentVolumeClaim>();
  claims.set(target('one', 'CloneSourceInUse'));
  claims.set(target('two', 'CSIClone'));
  claims.set(target('three', 'SourceNotReady'));
  claims.set(target('four', 'CloneWithoutSource'));
  return { cloneSources, claims } as unknown as Caches;
}

describe('clones that wait for their source', () => {
  const names = (keys: { name: string }[]) => keys.map(({ name }) => name);

  it('are woken by the claim that they wait for, and no others', () => {
    expect(names(clonesWaitingFor(waiting(), 'PersistentVolumeClaim', golden))).to.deep.equal(['one', 'three']);
    expect(clonesWaitingFor(waiting(), 'PersistentVolumeClaim', { ...golden, namespace: 'team' })).to.deep.equal([]);
  });

  it('are woken by the snapshot that they wait for', () => {
    expect(names(clonesWaitingFor(waiting(), 'VolumeSnapshot', golden))).to.deep.equal(['four']);
  });

  it('are woken by a pod that mounts the claim, and by its volume', () => {
    const pod = {
      metadata: { namespace: golden.namespace, name: 'user' },
      spec: { containers: [], volumes: [{ name: 'disk', persistentVolumeClaim: { claimName: golden.name } }] },
    };
    expect(names(clonesWaitingForPod(waiting(), pod))).to.deep.equal(['one', 'three']);
    expect(names(clonesWaitingForVolume(waiting(), { spec: { claimRef: golden } }))).to.deep.equal(['one', 'three']);
    expect(clonesWaitingForVolume(waiting(), {})).to.deep.equal([]);
  });
});

describe('what a phase of a clone is said to be doing', () => {
  const claim = { metadata: { uid: 'u' } };

  it('is not said anew within a second, and is from then on', () => {
    const told = new ReportedStates();
    told.note(claim, { phase: 'CSIClone' }, 0);
    expect(told.untilWorthReporting(claim, { phase: 'CSIClone' }, 400)).to.equal(600);
    told.note(claim, { phase: 'CSIClone' }, 1_000);
    expect(told.untilWorthReporting(claim, { phase: 'CSIClone' }, 1_400)).to.equal(600);
    expect(told.untilWorthReporting(claim, { phase: 'CSIClone' }, 2_000)).to.equal(0);
  });

  it('is not said of a phase that ends within a second, whose time is remembered', () => {
    const told = new ReportedStates();
    told.note(claim, { phase: 'CSIClone' }, 0);
    expect(told.untilWorthReporting(claim, { phase: 'Rebind' }, 100)).to.equal(1_000);
    expect(told.untilWorthReporting(claim, { phase: 'Rebind' }, 600)).to.equal(500);
    expect(told.times(claim)).to.deep.equal([
      ['CSIClone', 0],
      ['Rebind', 100],
    ]);
    expect(told.untilWorthReporting(claim, { phase: 'Rebind' }, 1_100)).to.equal(0);
    expect(told.times({ metadata: { uid: 'other' } })).to.deep.equal([]);
  });

  it('is said less often, the more clones are under way, and as often again a while after they are complete', () => {
    const told = new ReportedStates();
    const others = Array.from({ length: 999 }, (_, index) => ({ metadata: { uid: `u-${index}` } }));
    for (const other of others) told.note(other, { phase: 'CSIClone' }, 0);
    told.note(claim, { phase: 'CSIClone' }, 0);
    expect(told.untilWorthReporting(claim, { phase: 'CSIClone' }, 2_000)).to.be.greaterThan(40_000);
    for (const other of others) told.forget(other);
    expect(told.untilWorthReporting(claim, { phase: 'CSIClone' }, 2_000)).to.be.greaterThan(40_000);
    told.note(claim, { phase: 'CSIClone' }, 400_000);
    expect(told.untilWorthReporting(claim, { phase: 'CSIClone' }, 400_400)).to.equal(600);
  });

  it('is said of each of thousands of clones, if it lasts', () => {
    const told = new ReportedStates();
    const clones = Array.from({ length: 3_000 }, (_, index) => ({ metadata: { uid: `u-${index}` } }));
    const said = new Set<object>();
    for (let now = 0; now < 120_000; now += 10_000) {
      for (const clone of clones) {
        if (told.untilWorthReporting(clone, { phase: 'CSIClone' }, now) > 0) continue;
        told.note(clone, { phase: 'CSIClone' }, now);
        said.add(clone);
      }
    }
    expect(said.size).to.equal(clones.length);
  });

  it('is said where the clock was set back', () => {
    const told = new ReportedStates();
    told.note(claim, { phase: 'CSIClone' }, 3_600_000);
    expect(told.untilWorthReporting(claim, { phase: 'CSIClone' }, 0)).to.equal(0);
  });
});
