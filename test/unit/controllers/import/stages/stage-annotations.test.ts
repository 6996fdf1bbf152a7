import { expect } from 'chai';
import fc from 'fast-check';
import {
  copiedAnnotation,
  copiedOf,
  shownStages,
  stageAnnotations,
  stageOf,
} from '../../../../../src/controllers/import/stages/stage-annotations.ts';
import { importerPodName } from '../../../../../src/protocol/object-names.ts';

const COPIED = 'cdi.kubevirt.io/storage.checkpoint.copied';

describe('the annotations of a multi-stage import', () => {
  it('name a stage, and are read again', () => {
    const stage = { previous: '52 de 1f/63', current: 'snapshot-2', isFinal: true };
    expect(stageOf(stageAnnotations(stage))).to.deep.equal(stage);
    expect(stageOf({})).to.equal(undefined);
    expect(stageOf({ 'cdi.kubevirt.io/storage.checkpoint.current': '' })).to.equal(undefined);
  });

  it('have the checkpoint itself in their name where it may be there', () => {
    expect(copiedAnnotation('snapshot-2')).to.equal(`${COPIED}.snapshot-2`);
    const uuid = '3c7d0d6c-3a3b-4f0e-9c41-6f1f2b9b3c11';
    expect(copiedAnnotation(uuid)).to.equal(`${COPIED}.${uuid}`);
  });

  it('have valid names for every checkpoint, which tell them apart', () => {
    const checkpoint = fc.oneof(
      fc.string({ minLength: 1, maxLength: 253 }),
      fc.constantFrom('a b', 'a/b', 'a-b', 'A-b'),
    );
    fc.assert(
      fc.property(checkpoint, checkpoint, (one, other) => {
        const name = copiedAnnotation(one).slice('cdi.kubevirt.io/'.length);
        expect(name).to.match(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,61}[A-Za-z0-9]$/);
        expect(importerPodName('disk', one)).to.match(/^[a-z0-9]([-a-z0-9]{0,152}[a-z0-9])?$/);
        if (one === other) return;
        expect(copiedAnnotation(one)).not.to.equal(copiedAnnotation(other));
        expect(importerPodName('disk', one)).not.to.equal(importerPodName('disk', other));
      }),
    );
  });

  it('are shown on the target claim, with nothing else of the working claim', () => {
    const stages = {
      ...stageAnnotations({ previous: '', current: 'S1', isFinal: false }),
      [copiedAnnotation('S1')]: 'one',
    };
    expect(shownStages({ ...stages, other: 'x' })).to.deep.equal(stages);
    expect(copiedOf({ ...stages, other: 'x' })).to.deep.equal({ [`${COPIED}.S1`]: 'one' });
    expect(shownStages({ 'cdi.kubevirt.io/storage.checkpoint.done': 'true' })).to.deep.equal({
      'cdi.kubevirt.io/storage.checkpoint.done': 'true',
    });
  });
});
