import { expect } from 'chai';
import { areApart, describeNodeSelector, fitsNode } from '../../../src/kube/node-selector.ts';

const node = { metadata: { name: 'node1', labels: { zone: 'a', cores: '8' } } };

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: string[];
}

const requirements: readonly (readonly [Requirement, boolean])[] = [
  [{ key: 'zone', operator: 'In', values: ['b', 'a'] }, true],
  [{ key: 'zone', operator: 'In', values: ['b'] }, false],
  [{ key: 'rack', operator: 'In', values: ['a'] }, false],
  [{ key: 'zone', operator: 'NotIn', values: ['b'] }, true],
  [{ key: 'zone', operator: 'NotIn', values: ['a'] }, false],
  [{ key: 'rack', operator: 'NotIn', values: ['a'] }, true],
  [{ key: 'zone', operator: 'Exists' }, true],
  [{ key: 'rack', operator: 'Exists' }, false],
  [{ key: 'rack', operator: 'DoesNotExist' }, true],
  [{ key: 'zone', operator: 'DoesNotExist' }, false],
  [{ key: 'cores', operator: 'Gt', values: ['4'] }, true],
  [{ key: 'cores', operator: 'Gt', values: ['8'] }, false],
  [{ key: 'cores', operator: 'Lt', values: ['16'] }, true],
  [{ key: 'zone', operator: 'Lt', values: ['16'] }, false],
  [{ key: 'zone', operator: 'Near', values: ['a'] }, false],
];

describe('a node selector', () => {
  for (const [requirement, fits] of requirements) {
    it(`${fits ? 'takes' : 'refuses'} a node by ${describeNodeSelector({ nodeSelectorTerms: [{ matchExpressions: [requirement] }] })}`, () => {
      expect(fitsNode({ nodeSelectorTerms: [{ matchExpressions: [requirement] }] }, node)).to.equal(fits);
    });
  }

  it('needs all requirements of one of its terms', () => {
    const [yes, no] = [
      { key: 'zone', operator: 'Exists' },
      { key: 'rack', operator: 'Exists' },
    ];
    const fits = (...nodeSelectorTerms: object[]) => fitsNode({ nodeSelectorTerms }, node);
    expect(fits({ matchExpressions: [yes, no] })).to.be.false;
    expect(fits({ matchExpressions: [no] }, { matchExpressions: [yes] })).to.be.true;
    expect(fits({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['node1'] }] })).to.be.true;
    expect(fits({ matchExpressions: [yes], matchFields: [{ key: 'metadata.name', operator: 'In', values: ['x'] }] })).to
      .be.false;
    expect(fits({}), 'a term without requirements').to.be.false;
  });

  it('is told in words', () => {
    const nodeSelectorTerms = [
      {
        matchExpressions: [
          { key: 'zone', operator: 'In', values: ['a', 'b'] },
          { key: 'disk', operator: 'Exists' },
        ],
      },
      { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['node1'] }] },
    ];
    expect(describeNodeSelector({ nodeSelectorTerms })).to.equal(
      'zone in (a, b) and disk exists, or metadata.name in (node1)',
    );
  });

  it('is apart from another one only where no node can match both', () => {
    const term = (key: string, ...values: string[]) => ({ matchExpressions: [{ key, operator: 'In', values }] });
    const both = (one: object[], other: object[]) => areApart({ nodeSelectorTerms: one }, { nodeSelectorTerms: other });
    expect(both([term('zone', 'a')], [term('zone', 'b', 'c')])).to.equal(true);
    expect(both([term('zone', 'a', 'b')], [term('zone', 'b', 'c')])).to.equal(false);
    expect(both([term('zone', 'a')], [term('rack', 'b')])).to.equal(false);
    expect(both([term('zone', 'a'), term('zone', 'b')], [term('zone', 'b')])).to.equal(false);
    expect(both([{ matchExpressions: [{ key: 'zone', operator: 'Exists' }] }], [term('zone', 'b')])).to.equal(false);
  });
});
