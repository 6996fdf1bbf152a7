import { expect } from 'chai';
import { placementOf } from '../../../../../src/controllers/clone/copy/placement.ts';
import type { CloneSource } from '../../../../../src/controllers/clone/source/source.ts';
import { onePodGivenUpAnnotation } from '../../../../../src/controllers/objects/internal-annotations.ts';
import type { ControllerContext } from '../../../../../src/controllers/runtime/context.ts';
import type { PersistentVolumeClaim, Pod } from '../../../../../src/kube/builtin-resources.ts';
import { cachesOf } from '../../caches.ts';

const onNode = (name: string) => ({
  nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [name] }] }],
});
const nodes = ['node1', 'node2'].map((name) => ({ metadata: { name, labels: { 'kubernetes.io/hostname': name } } }));
const client = {
  get: async (_: unknown, { name }: { name: string }) => nodes.find(({ metadata }) => metadata.name === name),
} as unknown as ControllerContext['client'];

interface Situation {
  /** The nodes from which the source is reached, and the target where it has a volume. */
  readonly reach?: string;
  readonly targetReach?: string;
  readonly annotations?: Record<string, string>;
  readonly namespace?: string;
  readonly accessMode?: string;
  /** Another pod that has the source on a node, and its phase. */
  readonly user?: { readonly node: string; readonly phase: string };
}

const cases: Record<string, { readonly given: Situation; readonly expected: object }> = {
  'one pod where every node reaches both volumes': { given: {}, expected: { pods: 1, node: undefined } },
  'one pod where one node reaches both': {
    given: { reach: 'node1', targetReach: 'node1' },
    expected: { pods: 1, node: undefined },
  },
  'two pods where their nodes differ': {
    given: { reach: 'node1', targetReach: 'node2' },
    expected: {
      pods: 2,
      why: 'the source is reached from kubernetes.io/hostname in (node1), and the target from kubernetes.io/hostname in (node2)',
    },
  },
  'two pods where the consumer of the target is elsewhere': {
    given: { reach: 'node1', annotations: { 'volume.kubernetes.io/selected-node': 'node2' } },
    expected: {
      pods: 2,
      why: 'the target is placed on node "node2", and the source is reached from kubernetes.io/hostname in (node1)',
    },
  },
  'one pod where the consumer of the target is at the source': {
    given: { reach: 'node1', annotations: { 'volume.kubernetes.io/selected-node': 'node1' } },
    expected: { pods: 1, node: undefined },
  },
  'two pods between namespaces': { given: { namespace: 'other' }, expected: { pods: 2 } },
  'two pods once one was given up': {
    given: { annotations: { [onePodGivenUpAnnotation]: 'true' } },
    expected: { pods: 2 },
  },
  'one pod beside another one that has the source': {
    given: { user: { node: 'node2', phase: 'Running' } },
    expected: { pods: 1, node: 'node2' },
  },
  'one pod anywhere where that one has ended': {
    given: { user: { node: 'node2', phase: 'Succeeded' } },
    expected: { pods: 1, node: undefined },
  },
  'one pod anywhere where many nodes may have the source': {
    given: { accessMode: 'ReadOnlyMany', user: { node: 'node2', phase: 'Running' } },
    expected: { pods: 1, node: undefined },
  },
};

describe('the pods of a copy', () => {
  for (const [title, { given, expected }] of Object.entries(cases)) {
    it(`are ${title}`, async () => {
      const { reach, targetReach, annotations = {}, namespace = 'team', accessMode = 'ReadWriteOnce', user } = given;
      const claim: PersistentVolumeClaim = {
        metadata: { namespace, name: 'copy', annotations },
        spec: targetReach === undefined ? {} : { volumeName: 'pv-copy' },
      };
      const reader: Pod | undefined = user && {
        metadata: { namespace: 'team', name: 'reader' },
        spec: {
          nodeName: user.node,
          containers: [],
          volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'golden' } }],
        },
        status: { phase: user.phase },
      };
      const caches = cachesOf({
        claims: [claim, { metadata: { namespace: 'team', name: 'golden' }, spec: { accessModes: [accessMode] } }],
        volumes: targetReach
          ? [{ metadata: { name: 'pv-copy' }, spec: { nodeAffinity: { required: onNode(targetReach) } } }]
          : [],
        pods: reader ? [reader] : [],
      });
      const source = {
        key: { namespace: 'team', name: 'golden' },
        reach: reach && onNode(reach),
      } as unknown as CloneSource;
      expect(await placementOf({ caches, client }, claim, source)).to.deep.equal(expected);
    });
  }
});
