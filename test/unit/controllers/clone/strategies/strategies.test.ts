import { expect } from 'chai';
import { clonePhases, cloneTypes } from '../../../../../src/api/clone.ts';
import { fallbackStrategy, strategyOf } from '../../../../../src/controllers/clone/strategies/strategies.ts';
import type { WorkingPhase } from '../../../../../src/controllers/clone/strategies/strategy.ts';
import {
  temporaries,
  temporaryKeys,
  type TemporaryName,
} from '../../../../../src/controllers/clone/strategies/temporaries.ts';

const kinds = ['PersistentVolumeClaim', 'VolumeSnapshot'] as const;

describe('the strategies of clones', () => {
  for (const cloneType of cloneTypes) {
    const strategy = strategyOf(cloneType);

    it(`are each what they are called: ${cloneType}`, () => {
      expect(strategy.cloneType).to.equal(cloneType);
    });

    it(`go through phases in the order that the API has them: ${cloneType}`, () => {
      for (const kind of kinds) {
        const order = strategy.phases[kind].map((phase) => clonePhases.indexOf(phase));
        expect(order).to.deep.equal(order.toSorted((one, other) => one - other));
        expect(strategy.phases[kind].at(-1)).to.equal('Rebind');
      }
    });

    it(`declare what their phases make: ${cloneType}`, () => {
      const makes: Partial<Record<WorkingPhase, TemporaryName | readonly TemporaryName[]>> = {
        Snapshot: 'temporarySnapshot',
        SnapshotClone: strategy.restoresInto,
        CSIClone: 'workingClaim',
        HostClone: ['workingClaim', 'temporarySnapshot'],
      };
      const made = kinds.flatMap((kind) => strategy.phases[kind]).flatMap((phase) => makes[phase] ?? []);
      expect(strategy.temporaries).to.have.members([...new Set(made)]);
    });
  }

  it('end with one that nothing stands against', () => {
    expect(fallbackStrategy.obstacles).to.deep.equal([]);
  });

  it('make temporary objects of names of their own for each claim', () => {
    const names = ['uid-1', 'uid-2'].flatMap((uid) =>
      Object.values(temporaryKeys('golden', uid)).map(({ name }) => name),
    );
    expect(new Set(names)).to.have.lengthOf(2 * Object.keys(temporaries).length);
  });
});
