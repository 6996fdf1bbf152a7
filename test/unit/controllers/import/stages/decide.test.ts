import { expect } from 'chai';
import fc from 'fast-check';
import { stateAnnotation } from '../../../../../src/api/annotations.ts';
import { endOfStage, nextStage, type StagePlan } from '../../../../../src/controllers/import/stages/decide.ts';
import { type Annotations, stageOf } from '../../../../../src/controllers/import/stages/stage-annotations.ts';
import type { AnnotationChanges } from '../../../../../src/controllers/transfers/transfer-stages.ts';

const COPIED = 'cdi.kubevirt.io/storage.checkpoint.copied';
const CURRENT = 'cdi.kubevirt.io/storage.checkpoint.current';
const DONE = 'cdi.kubevirt.io/storage.checkpoint.done';

const planOf = (count: number, isFinal = false): StagePlan => ({
  checkpoints: Array.from({ length: count }, (_, index) => ({
    previous: index === 0 ? '' : `S${index}`,
    current: `S${index + 1}`,
  })),
  isFinal,
});

function changed(annotations: Annotations, changes: AnnotationChanges): Annotations {
  const entries = Object.entries({ ...annotations, ...changes });
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== null));
}

/** The claim before its next stage begins; undefined while there is none. */
function begun(plan: StagePlan, annotations: Annotations): Annotations | undefined {
  const next = nextStage(plan, annotations);
  return next && changed(annotations, next.changes);
}

/** The claim after the pod of its stage has succeeded. */
function ended(plan: StagePlan, annotations: Annotations, uid: string): Annotations {
  return changed(annotations, endOfStage(plan, annotations, { stage: stageOf(annotations)!, uid }).changes);
}

describe('the stages of an import', () => {
  it('are copied one after another, each by a pod that is remembered', () => {
    const plan = planOf(2);
    const first = begun(plan, {})!;
    expect(stageOf(first)).to.deep.equal({ previous: '', current: 'S1', isFinal: false });
    const paused = ended(plan, first, 'one');
    expect(paused).to.include({ [CURRENT]: 'S1', [`${COPIED}.S1`]: 'one' });
    const second = begun(plan, paused)!;
    expect(stageOf(second)).to.deep.equal({ previous: 'S1', current: 'S2', isFinal: false });
    const waiting = ended(plan, second, 'two');
    expect(nextStage(plan, waiting)).to.equal(undefined);
  });

  it('change nothing on a claim that names the next one already', () => {
    const first = begun(planOf(1), {})!;
    expect(nextStage(planOf(1), first)?.changes).to.deep.equal({});
  });

  it('end with the final one, after which only that is told', () => {
    const plan = planOf(1, true);
    expect(ended(plan, { ...begun(plan, {}), [`${COPIED}.S0`]: 'zero' }, 'one')).to.deep.equal({ [DONE]: 'true' });
  });

  it('do not end with a stage behind which another one has come meanwhile', () => {
    const final = begun(planOf(1, true), {})!;
    const paused = ended(planOf(2, true), final, 'one');
    expect(stageOf(begun(planOf(2, true), paused))).to.deep.equal({ previous: 'S1', current: 'S2', isFinal: true });
  });

  it('repeat the last one where it turns out to have been the final one', () => {
    const paused = ended(planOf(1), begun(planOf(1), {})!, 'one');
    const again = begun(planOf(1, true), paused)!;
    expect(stageOf(again)).to.deep.equal({ previous: '', current: 'S1', isFinal: true });
    expect(again).not.to.have.property(`${COPIED}.S1`);
    expect(ended(planOf(1, true), again, 'two')).to.deep.equal({ [DONE]: 'true' });
  });

  it('go on with what takes the place of a stage that cannot be copied', () => {
    const paused = ended(planOf(2), begun(planOf(2), {})!, 'one');
    const failing = begun(planOf(2), paused)!;
    const { checkpoints } = planOf(1);
    const plan = { checkpoints: [...checkpoints, { previous: 'S1', current: 'S9' }], isFinal: true };
    expect(stageOf(begun(plan, failing))).to.deep.equal({ previous: 'S1', current: 'S9', isFinal: true });
  });

  it('complete what a target may hold parts of before anything else', () => {
    const paused = ended(planOf(1), begun(planOf(1), {})!, 'one');
    const bound = { previous: 'S1', current: 'S2', isFinal: false };
    const other = { checkpoints: [...planOf(1).checkpoints, { previous: 'S1', current: 'S9' }], isFinal: true };
    expect(nextStage(other, paused, bound)?.stage).to.deep.equal(bound);
    expect(nextStage(planOf(2, true), paused, bound)?.stage).to.deep.equal({ ...bound, isFinal: true });
    const copied = { ...paused, [`${COPIED}.S2`]: 'two' };
    expect(nextStage(other, copied, bound)?.stage.current).to.equal('S9');
  });

  it('are each copied once and in order, however their plan grows, and only the last gives the disk its size', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ grow: fc.integer({ min: 0, max: 2 }), runs: fc.boolean() }), { maxLength: 12 }),
        (steps) => {
          let count = 1;
          let annotations: Annotations = {};
          const copied: string[] = [];
          const run = (plan: StagePlan) => {
            const next = begun(plan, annotations);
            if (!next) return;
            const stage = stageOf(next)!;
            copied.push(`${stage.current}${stage.isFinal ? ' final' : ''}`);
            annotations = ended(plan, next, `pod-${copied.length}`);
          };
          for (const { grow, runs } of steps) {
            count += grow;
            if (runs) run(planOf(count));
          }
          const before = copied.length;
          for (let round = 0; annotations[DONE] === undefined && round <= count; round++) run(planOf(count, true));
          const expected = planOf(count).checkpoints.map(({ current }) => current);
          const isRepeated = before === count;
          expect(copied).to.deep.equal(
            isRepeated ? [...expected, `S${count} final`] : [...expected.slice(0, -1), `S${count} final`],
          );
          expect(annotations).to.deep.equal({ [stateAnnotation.checkpointDone]: 'true' });
        },
      ),
    );
  });
});
