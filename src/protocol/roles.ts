import type { TransferPodLabel } from '../api/labels.ts';

/** How the pods of a role differ from others. */
interface TransferRoleDefinition {
  /** Value of the label cdi.kubevirt.io, by which clients of CDI, network policies and Services find the pods of a role. */
  readonly label: TransferPodLabel;
  /** Seconds after which Kubernetes ends the pod, from when a node has taken it. */
  readonly deadlineSeconds?: number;
}

/**
 * What the executable does in a pod that moves data. The key is its first argument, and the name of the container that does the work.
 *
 * The pods that move data have no deadline: a transfer may rightly take days, and Kubernetes cannot tell it from one that has come
 * to a stop. The pod can: it ends itself when its peer brings nothing for too long.
 */
export const transferRoles = {
  importer: { label: 'importer' },
  /** The end of a host-assisted copy that reads. */
  'copy-source': { label: 'cdi-clone-source' },
  /** The end of a host-assisted copy that writes. */
  'copy-target': { label: 'cdi-upload-server' },
  /**
   * Mounts a claim for a moment, and does nothing with it. The role itself ends at once; all else is the mounting, and one that takes
   * longer hangs and is tried again, perhaps elsewhere. It writes nothing, and has the label of those that only read.
   */
  'prepare-claim': { label: 'cdi-clone-source', deadlineSeconds: 3600 },
} as const satisfies Readonly<Record<string, TransferRoleDefinition>>;

export type TransferRole = keyof typeof transferRoles;

/** What differs between the pods of roles. */
export function definitionOf(role: TransferRole): TransferRoleDefinition {
  return transferRoles[role];
}

/** The roles, as they are named on a command line. */
export const transferRoleNames = Object.keys(transferRoles) as readonly TransferRole[];

/** What the executable does in a pod, by its first argument. */
export type PodRole = 'controller' | TransferRole;
