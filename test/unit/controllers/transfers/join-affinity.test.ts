import type { V1Affinity } from '@kubernetes/client-node';
import { expect } from 'chai';
import { joinAffinity } from '../../../../src/controllers/transfers/join-affinity.ts';

const expression = (key: string) => ({ key, operator: 'Exists' });
const nodes = (...terms: string[][]): V1Affinity => ({
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: terms.map((keys) => ({ matchExpressions: keys.map(expression) })),
    },
  },
});
const podTerm = (topologyKey: string) => ({ topologyKey });
const preferring = (topologyKey: string): V1Affinity => ({
  podAffinity: {
    preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: podTerm(topologyKey) }],
  },
});

describe('the affinities of settings and of a transfer', () => {
  it('are both required of a node, whichever of the alternatives of each', () => {
    expect(joinAffinity(nodes(['a'], ['b']), nodes(['c'], ['d', 'e']))).to.deep.equal(
      nodes(['a', 'c'], ['a', 'd', 'e'], ['b', 'c'], ['b', 'd', 'e']),
    );
  });

  it('are both preferred, and required of other pods', () => {
    const joined = joinAffinity(preferring('zone'), preferring('host')).podAffinity;
    expect(joined?.preferredDuringSchedulingIgnoredDuringExecution).to.have.length(2);
    const required = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [podTerm('host')] } };
    expect(
      joinAffinity(required, required).podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution,
    ).to.deep.equal([podTerm('host'), podTerm('host')]);
  });

  it('are each left alone by one of another kind, or by none', () => {
    expect(joinAffinity(nodes(['a']), preferring('zone'))).to.deep.equal({ ...nodes(['a']), ...preferring('zone') });
    expect(joinAffinity(undefined, nodes(['a']))).to.deep.equal(nodes(['a']));
    expect(joinAffinity({ nodeAffinity: {} }, nodes(['a']))).to.deep.equal(nodes(['a']));
  });
});
