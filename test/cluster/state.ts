import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stateFolder } from './folders.ts';
import type { Identity } from './identity.ts';
import { identityOf } from './identity.ts';

/** What is written down about a cluster while it exists. */
export interface ClusterState {
  /** Which block of addresses is the cluster's. */
  block: number;
  /** Names of the nodes; the first one has the control plane. */
  nodes: string[];
  /** Whether `up` has come to its end. */
  complete: boolean;
}

export async function readState(cluster: Identity): Promise<ClusterState | undefined> {
  try {
    return JSON.parse(await readFile(file(cluster), 'utf8')) as ClusterState;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}

export async function writeState(cluster: Identity, state: ClusterState): Promise<void> {
  const unfinished = `${file(cluster)}.new`;
  await writeFile(unfinished, JSON.stringify(state));
  await rename(unfinished, file(cluster));
}

/** The states of all clusters of this user. */
export async function allStates(): Promise<ClusterState[]> {
  const names = await readdir(stateFolder()).catch(() => []);
  const states = await Promise.all(names.map((name) => readState(identityOf(name))));
  return states.filter((state) => state !== undefined);
}

function file(cluster: Identity): string {
  return join(cluster.folder, 'cluster.json');
}
