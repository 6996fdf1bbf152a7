import { expect } from 'chai';
import { findConsumer, reachOfClaim, reachOfSnapshot } from '../../../../../src/controllers/clone/source/reach.ts';
import type { ControllerContext } from '../../../../../src/controllers/runtime/context.ts';
import { cachesOf } from '../../caches.ts';

const selector = (key: string, value: string) => ({
  nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'In', values: [value] }] }],
});
const nodes = [
  { metadata: { name: 'node1', labels: { 'kubernetes.io/hostname': 'node1', 'topology.kubernetes.io/zone': 'a' } } },
  { metadata: { name: 'node2', labels: { 'kubernetes.io/hostname': 'node2', 'topology.kubernetes.io/zone': 'b' } } },
];
const client = {
  get: async (_: unknown, { name }: { name: string }) => nodes.find(({ metadata }) => metadata.name === name),
} as unknown as ControllerContext['client'];
const target = (node?: string) => ({
  metadata: node ? { annotations: { 'volume.kubernetes.io/selected-node': node } } : {},
});

interface Case {
  readonly reach: ReturnType<typeof selector> | undefined;
  readonly node?: string;
  readonly expected: { readonly volume: boolean; readonly snapshots: boolean } | undefined;
}

const onNode1 = selector('kubernetes.io/hostname', 'node1');
const cases: Record<string, Case> = {
  'there is no consumer yet': { reach: onNode1, expected: undefined },
  'every node reaches the source': { reach: undefined, node: 'node2', expected: undefined },
  'the node is gone': { reach: onNode1, node: 'node3', expected: undefined },
  'the consumer is where the source is': { reach: onNode1, node: 'node1', expected: { volume: true, snapshots: true } },
  'the source is on another node': { reach: onNode1, node: 'node2', expected: { volume: false, snapshots: false } },
  'the source is in another zone': {
    reach: selector('topology.kubernetes.io/zone', 'a'),
    node: 'node2',
    expected: { volume: false, snapshots: true },
  },
};

describe("what a clone's consumer reaches of its source", () => {
  for (const [title, { reach, node, expected }] of Object.entries(cases)) {
    it(`is ${expected ? JSON.stringify(expected) : 'no matter'} where ${title}`, async () => {
      const consumer = await findConsumer({ client }, target(node), { reach });
      const found = consumer && { volume: consumer.reachesVolume, snapshots: consumer.reachesSnapshots };
      expect(found).to.deep.equal(expected);
      if (expected) expect(consumer?.node).to.equal(node);
    });
  }

  it("is read from the source's volume, of a snapshot from the one that it was taken of", () => {
    const key = { namespace: 'golden', name: 'fedora' };
    const caches = cachesOf({
      claims: [{ metadata: key, spec: { volumeName: 'pv-1' } }],
      volumes: [{ metadata: { name: 'pv-1' }, spec: { nodeAffinity: { required: onNode1 } } }],
      snapshots: [
        {
          apiVersion: 'snapshot.storage.k8s.io/v1',
          kind: 'VolumeSnapshot',
          metadata: { namespace: 'golden', name: 'of-fedora' },
          spec: { source: { persistentVolumeClaimName: 'fedora' } },
        },
      ],
    });
    expect(reachOfClaim(caches, key)).to.deep.equal(onNode1);
    expect(reachOfSnapshot(caches, { ...key, name: 'of-fedora' })).to.deep.equal(onNode1);
    expect(reachOfClaim(caches, { ...key, name: 'gone' })).to.equal(undefined);
  });
});
