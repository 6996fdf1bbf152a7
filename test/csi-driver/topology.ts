import type { CreateVolumeRequest, Topology } from './messages.ts';
import { invalidArgument, resourceExhausted } from './status-error.ts';

/** Which node is which to the scheduler. Without a key every volume is reached from every node. */
export class NodeTopology {
  readonly #key: string | undefined;
  readonly #nodeId: string;

  /** @param key the node label whose value is the node's identifier */
  constructor(key: string | undefined, nodeId: string) {
    this.#key = key;
    this.#nodeId = nodeId;
  }

  get isServed(): boolean {
    return this.#key !== undefined;
  }

  /** Where something lives that only one node reaches; empty for what every node reaches. */
  of(node: string | undefined): Topology[] {
    return this.#key !== undefined && node !== undefined ? [{ segments: { [this.#key]: node } }] : [];
  }

  /** This node's own place. */
  own(): Topology | undefined {
    return this.of(this.#nodeId)[0];
  }

  /**
   * The node for a new volume that only one node is to reach.
   *
   * @param source the node of what it is copied from, which is the only one that it can be on
   * @throws StatusError RESOURCE_EXHAUSTED where the source is out of the requested nodes' reach
   */
  choose(requirement: CreateVolumeRequest['accessibility_requirements'], source: string | undefined): string {
    const key = this.#key;
    if (key === undefined) {
      throw invalidArgument('parameters: local needs a driver that serves topology (--topology-key)');
    }
    const nodes = [...(requirement?.preferred ?? []), ...(requirement?.requisite ?? [])].flatMap(
      ({ segments }) => segments[key] ?? [],
    );
    if (source === undefined) {
      return nodes[0] ?? this.#nodeId;
    }
    if (nodes.length > 0 && !nodes.includes(source)) {
      throw resourceExhausted(`the source is on node ${source}, out of reach of ${nodes.join(', ')}`);
    }
    return source;
  }
}
