import { join } from 'node:path';
import { mountPoint } from '../../cluster/disk.ts';
import { clusterName, identityOf } from '../../cluster/identity.ts';
import { runInNode } from '../../cluster/namespaces.ts';

const NODE = 'node1';

/**
 * Identifiers of the volumes and snapshots that the test cluster's CSI driver holds, whatever Kubernetes knows of them.
 */
export async function entriesOfDriver(): Promise<string[]> {
  const cluster = identityOf(clusterName());
  const folders = ['volumes', 'snapshots'].map((name) => join(mountPoint(cluster), 'pool', name));
  const text = await runInNode(cluster, NODE, ['ls', ...folders]);
  return text.split('\n').filter((line) => /^[a-z]+-/.test(line));
}
