import { expect } from 'chai';
import fc from 'fast-check';
import { type DiskFormat, drivers } from '../../../../src/image/formats/drivers.ts';
import type { Checkpoint } from '../../../../src/transfer/checkpoint/checkpoint.ts';
import { type ImportFacts, planImport, planRandomAccess } from '../../../../src/transfer/import/plan.ts';
import { rangesOf } from '../../image/formats/mapped-disks.ts';

const ranges = rangesOf(Buffer.alloc(512));
const scratchDirectory = '/scratch';
const yesAndNo = [true, false];

/** Every combination of what decides, apart from the position of the checkpoint. */
const everything: ImportFacts[] = drivers.flatMap(({ name: format }) =>
  [ranges, undefined].flatMap((access) =>
    yesAndNo.flatMap((readsAll) =>
      yesAndNo.flatMap((seeks) =>
        [scratchDirectory, undefined].flatMap((directory) =>
          [checkpointAt(4096, format), undefined].map((checkpoint) => ({
            ...{ format, readsAll, seeks, checkpoint },
            ...{ ranges: access, scratchDirectory: directory },
          })),
        ),
      ),
    ),
  ),
);
const facts = fc.constantFrom(...everything);

function checkpointAt(position: number, format: DiskFormat): Checkpoint {
  return {
    ...{ version: 1, format, wrappers: [], certainOnly: [], position, samples: [] },
    source: { location: 'a hash', version: 'v1' },
    target: { identity: 'a target' },
  };
}

describe('the plan of an import', () => {
  it('decodes every format that declares a decoder, and no other', () => {
    for (const fact of everything) {
      const { open, decode } = drivers.find(({ name }) => name === fact.format) ?? {};
      const isDecodable = open !== undefined || decode !== undefined;
      expect(planImport(fact).by === 'decode', fact.format).to.equal(isDecodable);
    }
    const others = new Set(everything.filter((fact) => planImport(fact).by !== 'decode').map(({ format }) => format));
    expect([...others]).to.deep.equal(['qed']);
  });

  it('decodes with all the access that there is, from the checkpoint if there is one', () => {
    for (const fact of everything) {
      const plan = planImport(fact);
      if (plan.by !== 'decode') continue;
      expect(plan).to.include({ ranges: fact.ranges, readsAll: fact.readsAll, checkpoint: fact.checkpoint });
    }
  });

  it('skips up to the checkpoint only in a stream that seeks', () => {
    fc.assert(
      fc.property(facts, fc.nat(), (fact, position) => {
        const plan = planImport({ ...fact, checkpoint: checkpointAt(position, fact.format) });
        if (plan.by === 'decode') expect(plan.skipsTo).to.equal(fact.seeks ? position : undefined);
        const anew = planImport({ ...fact, checkpoint: undefined });
        if (anew.by === 'decode') expect(anew.skipsTo).to.equal(undefined);
      }),
    );
  });

  it('converts what cannot be decoded in one pass at random, from a copy, or not at all, in this order', () => {
    const why = 'a table comes last';
    const plans = yesAndNo.map((drains) => planRandomAccess({ ranges, readsAll: drains, scratchDirectory }, why));
    expect(plans).to.deep.equal(yesAndNo.map((drains) => ({ by: 'convert', why, ranges, drains })));
    for (const fact of everything) {
      const plan = planRandomAccess(fact, why);
      expect(plan.why).to.equal(why);
      if (fact.ranges !== undefined) {
        expect(plan).to.deep.equal({ by: 'convert', why, ranges: fact.ranges, drains: fact.readsAll });
      } else if (fact.scratchDirectory !== undefined) {
        expect(plan).to.deep.equal({ by: 'scratch', why, directory: fact.scratchDirectory });
      } else {
        expect(plan).to.deep.equal({ by: 'scratch request', why });
      }
    }
  });

  it('is the same whether the format or the layout of an image forbids decoding, but for the reason', () => {
    for (const fact of everything) {
      const plan = planImport(fact);
      if (plan.by === 'decode') continue;
      expect(plan.why).to.equal(`${fact.format} cannot be decoded from a stream`);
      expect(plan).to.deep.equal(planRandomAccess(fact, plan.why));
    }
  });
});
