import { request } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import type { Identity } from './identity.ts';
import { nodeFolder } from './identity.ts';
import type { NodeStatus } from './node/spec.ts';

/** Thrown for a component that the node does not have. */
export class UnknownComponent extends Error {
  readonly code = 'UnknownComponent';
  constructor(component: string, node: string) {
    super(`there is no component "${component}" on node ${node}`);
    this.name = 'UnknownComponent';
  }
}

/** What the node says about its components, or undefined if it does not answer. */
export async function nodeStatus(cluster: Identity, node: string): Promise<NodeStatus | undefined> {
  try {
    return (await ask(cluster, node, 'GET', '/')).body;
  } catch {
    return undefined;
  }
}

/**
 * Stops, starts or restarts a component of a node.
 * @param signal what it is stopped with; SIGTERM unless given.
 */
export async function controlComponent(
  cluster: Identity,
  node: string,
  action: 'start' | 'stop' | 'restart',
  component: string,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<void> {
  const query = new URLSearchParams({ component, signal });
  const { status } = await ask(cluster, node, 'POST', `/${action}?${query.toString()}`);
  if (status === 404) {
    throw new UnknownComponent(component, node);
  }
  if (status !== 200) {
    throw new Error(`node ${node} could not ${action} ${component}: its node.log tells why`);
  }
}

function ask(
  cluster: Identity,
  node: string,
  method: string,
  path: string,
): Promise<{ status: number; body: NodeStatus }> {
  const socketPath = join(nodeFolder(cluster, node), 'control.sock');
  return new Promise((resolve, reject) => {
    request({ socketPath, method, path }, (response) => {
      json(response).then((body) => resolve({ status: response.statusCode!, body: body as NodeStatus }), reject);
    })
      .once('error', reject)
      .end();
  });
}
