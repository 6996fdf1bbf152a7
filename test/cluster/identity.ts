import { join } from 'node:path';
import { stateFolder } from './folders.ts';

/** Thrown for a cluster name that could not be part of the names of namespaces, interfaces and folders. */
export class InvalidClusterName extends Error {
  readonly code = 'InvalidClusterName';
  constructor(name: string) {
    super(
      `DISKPRESS_CLUSTER is "${name}": a cluster name is 1 to 30 lower-case letters, digits and dashes, a letter first`,
    );
    this.name = 'InvalidClusterName';
  }
}

/** Which of this user's clusters is meant: $DISKPRESS_CLUSTER, or "diskpress". */
export function clusterName(): string {
  const name = process.env.DISKPRESS_CLUSTER || 'diskpress';
  if (!/^[a-z][a-z0-9-]{0,29}$/.test(name)) {
    throw new InvalidClusterName(name);
  }
  return name;
}

/** Names and paths of everything that one cluster has on this machine; `down` finds by them what to remove. */
export interface Identity {
  name: string;
  folder: string;
  kubeconfig: string;
  /** Network namespaces and control groups of the cluster have names that begin so. */
  prefix: string;
  /** The network namespace with the bridge that connects the nodes and the host. */
  switch: string;
  /** A sparse file with the file system that all nodes share. */
  disk: string;
}

export function identityOf(name: string): Identity {
  const folder = join(stateFolder(), name);
  // Cluster names have no dots, so no prefix is the beginning of another cluster's.
  const prefix = `diskpress.${name}.`;
  return {
    name,
    folder,
    kubeconfig: join(folder, 'kubeconfig'),
    prefix,
    switch: `${prefix}switch`,
    disk: join(folder, 'disk.img'),
  };
}

/** The folder of one node's configuration, logs and control socket. */
export function nodeFolder(cluster: Identity, node: string): string {
  return join(cluster.folder, 'nodes', node);
}
