import { expect } from 'chai';
import fc from 'fast-check';
import { CDI_API_VERSION, CDI_GROUP } from '../../../src/api/group.ts';
import { volumeImportSources } from '../../../src/api/volume-import-source.ts';
import { persistentVolumeClaims } from '../../../src/kube/builtin-resources.ts';
import { claimSpec, KEY, StagedImport, stagedSource, stagesUpTo } from './world/staged-import.ts';

const USE_POPULATOR = 'cdi.kubevirt.io/storage.usePopulator';
const CURRENT = 'cdi.kubevirt.io/storage.checkpoint.current';
const DONE = 'cdi.kubevirt.io/storage.checkpoint.done';
/** Enough for a stage, and for what comes after the last one. */
const ROUNDS = 12;

const POD_PHASE = 'cdi.kubevirt.io/storage.pod.phase';
const COPIED = 'cdi.kubevirt.io/storage.checkpoint.copied';

const ways = { 'through a working claim': {}, 'into the claim itself': { [USE_POPULATOR]: 'false' } } as const;

for (const [way, annotations] of Object.entries(ways)) {
  describe(`a multi-stage import ${way}`, () => {
    const isBound = ({ claim }: StagedImport) => claim?.status?.phase === 'Bound';

    it('pauses after each stage, and is complete after the final one', async () => {
      const staged = await StagedImport.of(annotations);
      for (const count of [1, 2]) {
        staged.plan(stagesUpTo(count));
        await staged.rounds(ROUNDS);
        expect(staged.dataVolume?.status?.phase).to.equal('Paused');
        expect(staged.stageAnnotations).to.include({ [CURRENT]: `snapshot-${count}` });
        expect(staged.pods).to.deep.equal([]);
        expect(isBound(staged)).to.equal(way === 'into the claim itself');
      }
      staged.plan(stagesUpTo(3), true);
      await staged.rounds(ROUNDS);
      expect(staged.dataVolume?.status).to.include({ phase: 'Succeeded', progress: '100.0%' });
      expect(staged.stageAnnotations).to.deep.equal({ [DONE]: 'true' });
      expect(staged.copied).to.deep.equal(['snapshot-1', 'snapshot-2', 'snapshot-3 final']);
      expect(staged.breaches).to.deep.equal([]);
      expect(staged.pods).to.deep.equal([]);
      expect(
        staged.world.api.list(persistentVolumeClaims).filter(({ metadata }) => metadata?.namespace === 'team'),
      ).to.have.length(2);
    });

    it('copies checkpoints that are listed together one after another, and stays paused after the last of them', async () => {
      const staged = await StagedImport.of(annotations);
      staged.plan(stagesUpTo(3));
      await staged.rounds(3 * ROUNDS);
      expect(staged.dataVolume?.status?.phase).to.equal('Paused');
      expect(staged.copied).to.deep.equal(['snapshot-1', 'snapshot-2', 'snapshot-3']);
      expect(staged.stageAnnotations).to.include({ [CURRENT]: 'snapshot-3' });
      expect(staged.pods).to.deep.equal([]);
      expect(staged.breaches).to.deep.equal([]);
    });

    it('takes the names of its pods from the checkpoints', async () => {
      const staged = await StagedImport.of(annotations, true);
      staged.plan(stagesUpTo(2));
      await staged.rounds(2 * ROUNDS);
      const names = staged.pods.map(({ metadata }) =>
        metadata?.name?.replace(/prime-.*-checkpoint/, 'disk-checkpoint'),
      );
      expect(names).to.deep.equal(['importer-disk-checkpoint-snapshot-1', 'importer-disk-checkpoint-snapshot-2']);
    });

    it('goes on after failures that pass, and from where it was', async () => {
      const staged = await StagedImport.of(annotations);
      staged.passing.set('snapshot-2', 3);
      staged.plan(stagesUpTo(3), true);
      await staged.rounds(5 * ROUNDS);
      expect(staged.dataVolume?.status?.phase).to.equal('Succeeded');
      expect(staged.copied).to.deep.equal(['snapshot-1', 'snapshot-2', 'snapshot-3 final']);
    });

    it('fails with a sentence, and goes on with a checkpoint in place of the one that is gone', async () => {
      const staged = await StagedImport.of(annotations);
      staged.broken.add('snapshot-2');
      staged.plan(stagesUpTo(2));
      await staged.rounds(2 * ROUNDS);
      expect(staged.dataVolume?.status?.phase).to.equal('Failed');
      const running = staged.dataVolume?.status?.conditions?.find(({ type }) => type === 'Running');
      expect(running?.message).to.equal('Snapshot snapshot-2 does not exist');
      staged.plan([...stagesUpTo(1), { previous: 'snapshot-1', current: 'snapshot-9' }], true);
      await staged.rounds(2 * ROUNDS);
      expect(staged.dataVolume?.status?.phase).to.equal('Succeeded');
      expect(staged.copied).to.deep.equal(['snapshot-1', 'snapshot-9 final']);
      expect(staged.breaches).to.deep.equal([]);
    });

    it('completes a stage that has begun on a Block volume before any other', async () => {
      const staged = await StagedImport.of(annotations, false, 'Block');
      staged.broken.add('snapshot-2');
      staged.plan(stagesUpTo(2));
      await staged.rounds(2 * ROUNDS);
      staged.plan([...stagesUpTo(1), { previous: 'snapshot-1', current: 'snapshot-9' }], true);
      await staged.rounds(2 * ROUNDS);
      expect(staged.dataVolume?.status?.phase).to.equal('Failed');
      expect(staged.copied).to.deep.equal(['snapshot-1']);
    });

    it('repeats the last stage as the final one where that is told afterwards', async () => {
      const staged = await StagedImport.of(annotations, true);
      await staged.rounds(ROUNDS);
      staged.plan(stagesUpTo(1), true);
      await staged.rounds(ROUNDS);
      expect(staged.dataVolume?.status?.phase).to.equal('Succeeded');
      expect(staged.copied).to.deep.equal(['snapshot-1', 'snapshot-1 final']);
    });

    it('leaves nothing when it is deleted while it is paused', async () => {
      const staged = await StagedImport.of(annotations, true);
      await staged.rounds(ROUNDS);
      expect(staged.dataVolume?.status?.phase).to.equal('Paused');
      staged.delete();
      await staged.rounds(ROUNDS);
      const { api } = staged.world;
      const left = api.list(persistentVolumeClaims).map(({ metadata }) => metadata?.name);
      expect(left.filter((name) => name === 'disk' || name?.startsWith('prime-'))).to.deep.equal([]);
      expect(staged.pods).to.deep.equal([]);
    });

    it('copies every stage in order, whatever is late, killed or restarted meanwhile', async function () {
      this.timeout(60_000);
      const event = fc.oneof(
        fc.record({
          rounds: fc.integer({ min: 1, max: 4 }),
          pace: fc.constantFrom('even', 'late watches', 'late watches of others', 'late Kubernetes'),
        }),
        fc.constantFrom('restart', 'kill', 'grow', 'interrupt'),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(event, { maxLength: 14 }), async (events) => {
          const staged = await StagedImport.of(annotations);
          let count = 1;
          for (const each of events) {
            if (typeof each !== 'string') await staged.rounds(each.rounds, each.pace);
            else if (each === 'restart') staged.world.restart();
            else if (each === 'kill') staged.killPod();
            else if (each === 'grow') staged.plan(stagesUpTo(++count));
            else staged.world.interrupt(2, async () => staged.killPod());
          }
          staged.plan(stagesUpTo(count + 1), true);
          await staged.rounds((count + 2) * ROUNDS);
          expect(staged.dataVolume?.status?.phase).to.equal('Succeeded');
          expect(staged.breaches).to.deep.equal([]);
          const stages = stagesUpTo(count + 1).map(({ current }) => current);
          expect(staged.copied).to.deep.equal([...stages.slice(0, -1), `snapshot-${count + 1} final`]);
        }),
        { numRuns: 60 },
      );
    });
  });
}

describe('a claim whose VolumeImportSource has stages', () => {
  const source = { namespace: KEY.namespace, name: 'stages' };
  const populated = async (targetClaim: string) => {
    const staged = await StagedImport.ofNothing();
    const { api } = staged.world;
    api.create('author', volumeImportSources, {
      apiVersion: CDI_API_VERSION,
      kind: 'VolumeImportSource',
      metadata: { ...source },
      spec: { source: stagedSource, checkpoints: stagesUpTo(1), targetClaim },
    });
    api.create('author', persistentVolumeClaims, {
      metadata: { ...KEY },
      spec: {
        ...claimSpec,
        dataSourceRef: { apiGroup: CDI_GROUP, kind: 'VolumeImportSource', name: source.name },
      },
    });
    await staged.rounds(ROUNDS);
    return staged;
  };

  it('is paused between them, and gets its volume after the final one', async () => {
    const staged = await populated(KEY.name);
    expect(staged.stageAnnotations).to.include({ [CURRENT]: 'snapshot-1' });
    expect(staged.claim?.metadata?.annotations).to.include({ [POD_PHASE]: 'Succeeded' });
    expect(staged.claim?.status?.phase).not.to.equal('Bound');
    staged.world.api.change('author', volumeImportSources, source, (current) => ({
      ...current,
      spec: { ...current.spec, checkpoints: stagesUpTo(2), finalCheckpoint: true },
    }));
    await staged.rounds(ROUNDS);
    expect(staged.claim?.status?.phase).to.equal('Bound');
    expect(staged.stageAnnotations).to.deep.equal({ [DONE]: 'true' });
    expect(staged.copied).to.deep.equal(['snapshot-1', 'snapshot-2 final']);
  });

  it('keeps what it has where that is gone, and goes on when it is there again', async () => {
    const staged = await populated(KEY.name);
    const { api } = staged.world;
    const was = api.find(volumeImportSources, source)!;
    api.delete('author', volumeImportSources, source);
    await staged.rounds(ROUNDS);
    expect(staged.claim?.status?.phase).not.to.equal('Bound');
    const spec = { ...was.spec, checkpoints: stagesUpTo(2), finalCheckpoint: true };
    api.create('author', volumeImportSources, { ...was, metadata: { ...source }, spec });
    await staged.rounds(ROUNDS);
    expect(staged.copied).to.deep.equal(['snapshot-1', 'snapshot-2 final']);
  });

  it('waits with a sentence where that is for another claim', async () => {
    const staged = await populated('another');
    expect(staged.pods).to.deep.equal([]);
    expect(staged.claim?.metadata?.annotations).to.include({
      'cdi.kubevirt.io/storage.condition.running.reason': 'OtherTargetClaim',
      'cdi.kubevirt.io/storage.condition.running.message':
        'VolumeImportSource "stages" fills claim "another" alone, which its targetClaim names; make one for claim "disk"',
    });
  });
});

describe('a claim whose annotations name a stage', () => {
  it('goes on when they name another one', async () => {
    const staged = await StagedImport.ofNothing();
    const { api } = staged.world;
    const annotate = (annotations: Record<string, string>) =>
      api.change('author', persistentVolumeClaims, KEY, (claim) => ({
        ...claim,
        metadata: { ...claim.metadata, annotations: { ...claim.metadata?.annotations, ...annotations } },
      }));
    api.create('author', persistentVolumeClaims, { metadata: { ...KEY }, spec: claimSpec });
    annotate({
      'cdi.kubevirt.io/storage.import.source': 'imageio',
      'cdi.kubevirt.io/storage.import.endpoint': 'https://engine/ovirt-engine/api',
      'cdi.kubevirt.io/storage.import.diskId': 'disk',
      [CURRENT]: 'snapshot-1',
    });
    await staged.rounds(ROUNDS);
    expect(staged.stageAnnotations).to.include.keys(CURRENT, `${COPIED}.snapshot-1`);
    annotate({
      'cdi.kubevirt.io/storage.checkpoint.previous': 'snapshot-1',
      'cdi.kubevirt.io/storage.checkpoint.final': 'true',
      [CURRENT]: 'snapshot-2',
    });
    await staged.rounds(ROUNDS);
    expect(staged.stageAnnotations).to.deep.equal({ [DONE]: 'true' });
    expect(staged.copied).to.deep.equal(['snapshot-1', 'snapshot-2 final']);
  });
});
