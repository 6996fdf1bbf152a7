import { expect } from 'chai';
import { userAnnotation } from '../../../../../src/api/annotations.ts';
import {
  baseClassAnnotation,
  baseSizeAnnotation,
} from '../../../../../src/controllers/objects/internal-annotations.ts';
import { persistentVolumeClaims, pods, storageClasses } from '../../../../../src/kube/builtin-resources.ts';
import { keyOf } from '../../../../../src/kube/key.ts';
import {
  type VolumeSnapshot,
  volumeSnapshotContents,
  volumeSnapshots,
} from '../../../../../src/kube/snapshot-resources.ts';
import { refusal } from '../../world/api.ts';
import { STORAGE_CLASS, TEAM } from '../../world/installation.ts';
import { CHANGED, IncrementalWorld, Killed, SOURCE } from './incremental-world.ts';

const isOfCopy = ({ metadata }: VolumeSnapshot) => metadata?.annotations?.[baseClassAnnotation] !== undefined;

describe('repeated copies of a Block claim whose owner wants them to be incremental', () => {
  it('keep a base of the first, which belongs to the source', async () => {
    const incremental = await IncrementalWorld.of();
    const plan = await incremental.copy('first');
    expect(incremental.phaseOf('first')).to.equal('Succeeded');
    expect(plan).to.equal('host-assisted copy of what is allocated, then rebind into team');
    const kept = incremental.kept();
    expect(kept.map(({ metadata }) => metadata?.ownerReferences?.map(({ name }) => name))).to.deep.equal([
      [SOURCE.name],
      [SOURCE.name],
    ]);
    expect(incremental.snapshots()).to.have.members(kept);
    expect(incremental.world.law.breaches).to.deep.equal([]);
  });

  it('begin with it, and send what has changed; what is kept then is of the latest', async () => {
    const incremental = await IncrementalWorld.of();
    await incremental.copy('first');
    const before = incremental.kept();
    const source = before.find((each) => !isOfCopy(each));
    const plan = await incremental.copy('second');
    expect(incremental.phaseOf('second')).to.equal('Succeeded');
    expect(plan).to.equal(
      `copy of what has changed since ${source?.metadata?.creationTimestamp}, then rebind into team`,
    );
    expect(incremental.sent).to.deep.equal(['everything', CHANGED]);
    expect(incremental.driver.deltas.map(({ since }) => since)).to.deep.equal([`handle of ${source?.metadata?.uid}`]);
    const kept = incremental.kept();
    expect(kept).to.have.length(2);
    expect(kept.map(({ metadata }) => metadata?.uid)).not.to.include.members(
      before.map(({ metadata }) => metadata?.uid),
    );
    expect(incremental.snapshots()).to.have.members(kept);
    expect(
      incremental.world.data.of(incremental.world.data.volumeOf({ namespace: TEAM, name: 'second' })?.metadata?.name),
    ).to.deep.equal(['team/own']);
  });

  it('ask what has changed while the earlier copy is being restored', async () => {
    const incremental = await IncrementalWorld.of();
    await incremental.copy('first');
    incremental.world.provisions = false;
    incremental.begin('second');
    await incremental.rounds(8);
    expect(incremental.driver.deltas).to.have.length(1);
    expect(incremental.sent).to.deep.equal(['everything']);
    incremental.world.provisions = true;
    await incremental.settled('second');
    expect(incremental.phaseOf('second')).to.equal('Succeeded');
    expect(incremental.sent).to.deep.equal(['everything', CHANGED]);
    expect(incremental.driver.deltas).to.have.length(1);
    expect(incremental.snapshots()).to.have.members(incremental.kept());
  });

  it('ask anew once the earlier copy is restored where the source was used meanwhile', async () => {
    const incremental = await IncrementalWorld.of();
    await incremental.copy('first');
    const { world } = incremental;
    world.provisions = false;
    incremental.begin('second');
    await incremental.rounds(8);
    const writer = { namespace: TEAM, name: 'writer' };
    const volumes = [{ name: 'disk', persistentVolumeClaim: { claimName: SOURCE.name } }];
    world.api.create('cluster', pods, { metadata: writer, spec: { containers: [], volumes } });
    await incremental.rounds(2);
    world.api.delete('cluster', pods, writer);
    await incremental.rounds(2);
    world.provisions = true;
    await incremental.settled('second');
    expect(incremental.phaseOf('second')).to.equal('Succeeded');
    expect(incremental.sent).to.deep.equal(['everything', CHANGED]);
    expect(incremental.driver.deltas).to.have.length(2);
    expect(incremental.snapshots()).to.have.members(incremental.kept());
  });

  it('keep no snapshot for a volume that does not come', async () => {
    const incremental = await IncrementalWorld.of();
    const { world } = incremental;
    world.provisions = false;
    incremental.begin('first');
    await incremental.rounds(8);
    expect(incremental.snapshots()).to.have.length(1);
    await incremental.rounds(30);
    expect(incremental.snapshots()).to.have.length(0);
    world.provisions = true;
    await incremental.settled('first');
    expect(incremental.phaseOf('first')).to.equal('Succeeded');
    expect(incremental.kept()).to.have.length(2);
  });

  it('send everything where the driver does not answer, and say why', async () => {
    const incremental = await IncrementalWorld.of();
    await incremental.copy('first');
    incremental.driver.trouble = 'the driver is tired';
    await incremental.copy('second');
    expect(incremental.phaseOf('second')).to.equal('Succeeded');
    expect(incremental.sent).to.deep.equal(['everything', 'everything']);
    expect(incremental.events.filter((event) => event.includes('the driver is tired'))).to.deep.equal([
      'IncrementalCloneImpossible: The whole volume is copied, as what has changed since the earlier copy is not known: the driver is tired',
    ]);
    expect(incremental.kept()).to.have.length(2);
  });

  it('send everything where it is gone, or another snapshot has its name', async () => {
    for (const plants of [false, true]) {
      for (const part of ['copy', 'source'] as const) {
        const incremental = await IncrementalWorld.of();
        await incremental.copy('first');
        const [lost] = incremental.kept().filter((each) => isOfCopy(each) === (part === 'copy'));
        if (!lost) throw new Error('nothing is kept');
        incremental.begin('second');
        await incremental.rounds(2);
        const { api } = incremental.world;
        api.delete('tenant', volumeSnapshots, keyOf(lost));
        if (plants) api.create('tenant', volumeSnapshots, { metadata: keyOf(lost), spec: lost.spec });
        await incremental.settled('second');
        expect(incremental.phaseOf('second'), `${part}, ${plants}`).to.equal('Succeeded');
        expect(new Set(incremental.sent), `${part}, ${plants}`).to.deep.equal(new Set(['everything']));
        if (!plants) expect(incremental.kept(), `${part}, ${plants}`).to.have.length(2);
      }
    }
  });

  it('are complete, and say so where everything is sent, whenever a part of it is deleted', async () => {
    for (const part of ['copy', 'source'] as const) {
      for (let rounds = 1; rounds <= 7; rounds += 1) {
        const incremental = await IncrementalWorld.of();
        await incremental.copy('first');
        incremental.begin('second');
        await incremental.rounds(rounds);
        const { api, data } = incremental.world;
        const [lost] = incremental.kept().filter((each) => isOfCopy(each) === (part === 'copy'));
        if (lost) api.delete('tenant', volumeSnapshots, keyOf(lost));
        await incremental.settled('second');
        const when = `${part}, after ${rounds} rounds`;
        expect(incremental.phaseOf('second'), when).to.equal('Succeeded');
        const copied = data.of(data.volumeOf({ namespace: TEAM, name: 'second' })?.metadata?.name);
        expect(copied, when).to.deep.equal(['team/own']);
        const isWhole = incremental.sent.at(-1) === 'everything';
        const reasons = incremental.events.filter((event) => event.startsWith('IncrementalCloneImpossible'));
        // A plan that was made without it promises nothing.
        const isPromised = incremental.planOf('second').startsWith('copy of what has changed');
        // It may be noticed when the copy is begun and when the claim for it is looked after.
        if (isWhole && isPromised) expect(reasons.length, when).to.be.within(1, 2);
        else expect(reasons, when).to.deep.equal([]);
      }
    }
  });

  it('leave a snapshot alone that somebody has planted', async () => {
    const incremental = await IncrementalWorld.of();
    await incremental.copy('first');
    const { world } = incremental;
    const planted = { namespace: TEAM, name: 'planted' };
    world.api.create('tenant', volumeSnapshots, {
      metadata: planted,
      spec: { source: { persistentVolumeClaimName: SOURCE.name } },
    });
    await incremental.copy('second');
    expect(incremental.sent).to.deep.equal(['everything', CHANGED]);
    expect(world.api.find(volumeSnapshots, planted)?.metadata?.deletionTimestamp).to.equal(undefined);
  });

  it('keep nothing any more once the owner does not want it, or the source is gone', async () => {
    for (const end of ['unwanted', 'gone'] as const) {
      const incremental = await IncrementalWorld.of();
      await incremental.copy('first');
      if (end === 'gone') incremental.world.api.delete('author', persistentVolumeClaims, SOURCE);
      else incremental.annotate({ [userAnnotation.incrementalClone]: undefined });
      await incremental.rounds(6);
      expect(incremental.snapshots(), end).to.deep.equal([]);
    }
  });

  it('begin anew where the earlier copy cannot be restored', async () => {
    const incremental = await IncrementalWorld.of();
    await incremental.copy('first');
    const { api } = incremental.world;
    const copy = incremental.kept().find(isOfCopy);
    api.delete('cluster', volumeSnapshotContents, {
      namespace: '',
      name: copy?.status?.boundVolumeSnapshotContentName ?? '',
    });
    await incremental.copy('second');
    expect(incremental.phaseOf('second')).to.equal('Succeeded');
    expect(incremental.sent).to.deep.equal(['everything', 'everything']);
    expect(incremental.events).to.include(
      'IncrementalCloneImpossible: The whole volume is copied: the earlier copy could not be restored',
    );
    expect(incremental.snapshots()).to.have.length(2);
  });

  it('begin anew where another claim has the name of the source', async () => {
    const incremental = await IncrementalWorld.of();
    await incremental.copy('first');
    incremental.world.api.delete('author', persistentVolumeClaims, SOURCE);
    incremental.makeSource();
    expect(await incremental.copy('second')).to.match(/^host-assisted copy/);
    expect(incremental.sent).to.deep.equal(['everything', 'everything']);
    expect(incremental.driver.deltas).to.deep.equal([]);
    expect(incremental.snapshots()).to.have.length(2);
  });

  it('begin anew where the target is smaller than the earlier copy, or its class has been made anew', async () => {
    for (const other of ['size', 'class'] as const) {
      const incremental = await IncrementalWorld.of();
      await incremental.copy('first');
      const { api } = incremental.world;
      const key = { namespace: '', name: STORAGE_CLASS };
      if (other === 'class') {
        const made = api.find(storageClasses, key);
        api.delete('cluster', storageClasses, key);
        api.create('cluster', storageClasses, {
          metadata: { name: STORAGE_CLASS },
          provisioner: made?.provisioner ?? '',
          reclaimPolicy: 'Retain',
        });
      } else {
        for (const copy of incremental.kept().filter(isOfCopy)) {
          api.change('cluster', volumeSnapshots, keyOf(copy), (found) => ({
            ...found,
            metadata: {
              ...found.metadata,
              annotations: { ...found.metadata?.annotations, [baseSizeAnnotation]: String(2 ** 31) },
            },
          }));
        }
      }
      expect(await incremental.copy('second'), other).to.match(/^host-assisted copy/);
      expect(incremental.sent, other).to.deep.equal(['everything', 'everything']);
      expect(incremental.driver.deltas, other).to.deep.equal([]);
    }
  });

  it('tell once that nothing is kept, where the quota has no room for snapshots', async () => {
    const incremental = await IncrementalWorld.of({
      authorize: ({ verb, resource }) => {
        if (verb === 'create' && resource.kind === 'VolumeSnapshot') throw refusal(403, 'Forbidden', 'exceeded quota');
      },
    });
    await incremental.copy('first');
    expect(incremental.phaseOf('first')).to.equal('Succeeded');
    expect(incremental.events.filter((event) => event.startsWith('CloneBaseNotKept'))).to.have.length(1);
    expect(incremental.snapshots()).to.deep.equal([]);
  });

  it('keep nothing where somebody begins to write to the source while it is copied', async () => {
    const incremental = await IncrementalWorld.of();
    const { world } = incremental;
    const volumes = [{ name: 'disk', persistentVolumeClaim: { claimName: SOURCE.name } }];
    world.api.onWrite(({ resource, before, after }) => {
      if (resource.kind !== 'Pod' || before || !after?.metadata?.name?.startsWith('cdi-upload-')) return;
      world.api.create('cluster', pods, {
        metadata: { namespace: TEAM, name: 'writer' },
        spec: { containers: [], volumes },
      });
    });
    await incremental.copy('first');
    expect(incremental.phaseOf('first')).to.equal('Succeeded');
    expect(incremental.events.filter((event) => event.startsWith('CloneBaseNotKept'))).to.have.length(1);
    expect(incremental.snapshots()).to.deep.equal([]);
  });

  it('send all that the source has grown by', async () => {
    const incremental = await IncrementalWorld.of();
    await incremental.copy('first');
    incremental.world.api.change('cluster', persistentVolumeClaims, SOURCE, (claim) => ({
      ...claim,
      spec: { ...claim.spec, resources: { requests: { storage: '2Gi' } } },
    }));
    await incremental.copy('second', '2Gi');
    expect(incremental.phaseOf('second')).to.equal('Succeeded');
    // What is beyond the end that is told of has changed for the source pod.
    expect(incremental.sent).to.deep.equal(['everything', CHANGED]);
    expect(incremental.driver.deltas.map(({ capacity }) => capacity)).to.deep.equal([2 ** 31]);
    expect(incremental.capacities).to.deep.equal([2 ** 30]);
  });

  it('begin with the same where two are made at once, and keep that of one', async () => {
    const incremental = await IncrementalWorld.of();
    await incremental.copy('first');
    incremental.begin('second');
    incremental.begin('third');
    await incremental.settled('second');
    await incremental.settled('third');
    expect(['second', 'third'].map((name) => incremental.phaseOf(name))).to.deep.equal(['Succeeded', 'Succeeded']);
    expect(incremental.sent).to.deep.equal(['everything', CHANGED, CHANGED]);
    expect(incremental.kept()).to.have.length(2);
    expect(incremental.snapshots()).to.have.length(2);
  });

  for (const since of ['used by somebody since', 'old'] as const) {
    it(`go by no snapshot of the source that is ${since}`, async () => {
      const incremental = await IncrementalWorld.of();
      await incremental.copy('first');
      const { world } = incremental;
      const kept = incremental.kept().map(({ metadata }) => metadata?.uid);
      const isNew = ({ metadata }: VolumeSnapshot) => !kept.includes(metadata?.uid);
      incremental.begin('second');
      for (let round = 0; round < 12 && !incremental.snapshots().some(isNew); round++) await world.round();
      const [stale] = incremental.snapshots().filter(isNew);
      const writer = { namespace: TEAM, name: 'writer' };
      if (since === 'old') {
        world.pass(121_000);
      } else {
        const volumes = [{ name: 'disk', persistentVolumeClaim: { claimName: SOURCE.name } }];
        world.api.create('cluster', pods, { metadata: writer, spec: { containers: [], volumes } });
        await incremental.rounds(2);
        world.api.delete('cluster', pods, writer);
      }
      await incremental.settled('second');
      expect(incremental.phaseOf('second')).to.equal('Succeeded');
      expect(incremental.sent).to.deep.equal(['everything', 'everything']);
      expect(incremental.events.filter((event) => event.startsWith('IncrementalCloneImpossible'))).to.have.length(1);
      expect(incremental.kept().map(({ metadata }) => metadata?.uid)).to.have.members(kept);
      expect(stale).not.to.equal(undefined);
      expect(incremental.snapshots().map(({ metadata }) => metadata?.uid)).not.to.include(stale?.metadata?.uid);
    });
  }

  it('are complete, and keep one base, wherever the controllers are killed', async () => {
    let wasKilled = true;
    let wholeCopies = 0;
    for (let requests = 0; wasKilled; requests++) {
      const incremental = await IncrementalWorld.of();
      const { world } = incremental;
      await incremental.copy('first');
      wasKilled = false;
      const kill = () => {
        wasKilled = true;
        throw new Killed();
      };
      world.interrupt(requests, kill, ['clone-populator', 'copy', 'clone-base']);
      incremental.begin('second');
      await incremental.settled('second', () => world.restart());
      const when = `killed before request ${requests}`;
      expect(incremental.phaseOf('second'), when).to.equal('Succeeded');
      const { data } = world;
      const copied = data.of(data.volumeOf({ namespace: TEAM, name: 'second' })?.metadata?.name);
      expect(copied, when).to.deep.equal(['team/own']);
      expect(incremental.kept(), when).to.have.length(2);
      expect(incremental.snapshots(), when).to.have.length(2);
      wholeCopies += incremental.sent.at(-1) === 'everything' ? 1 : 0;
      expect(world.law.breaches, when).to.deep.equal([]);
    }
    // Where it is not known whether a pod has been made.
    expect(wholeCopies).to.be.at.most(2);
  });
});
