import type { TransferPodLabel } from '../api/labels.ts';

/** Properties of the pods of one role. */
interface TransferRoleDefinition {
  /**
   * Value of the label cdi.kubevirt.io, by which clients of CDI, network policies and Services select the pods of a
   * role.
   */
  readonly label: TransferPodLabel;
  /** Deadline in seconds after a node has accepted the pod, when Kubernetes ends it. */
  readonly deadlineSeconds?: number;
}

/**
 * The roles of the executable in pods that move data. The key is its first argument, and the name of the container that
 * does the work.
 *
 * Pods that move data have no deadline: a transfer may legitimately take days, and Kubernetes cannot tell it from one
 * that is stuck. The pod can: it exits when its peer sends nothing for too long.
 */
export const transferRoles = {
  importer: { label: 'importer' },
  /** The end of a host-assisted copy that reads the source. */
  'copy-source': { label: 'cdi-clone-source' },
  /** The end of a host-assisted copy that writes the target. */
  'copy-target': { label: 'cdi-upload-server' },
  /** Copies from a volume into another one; both are its own. */
  'copy-volume': { label: 'cdi-upload-server' },
  /** Receives an upload, and writes the target. */
  'upload-server': { label: 'cdi-upload-server' },
  /**
   * Mounts a claim briefly, without using it. The role itself exits at once and the mount takes the rest of the time; a
   * mount that exceeds the deadline hangs, and is retried, perhaps on another node. It writes nothing, and has the
   * label of pods that only read.
   */
  'prepare-claim': { label: 'cdi-clone-source', deadlineSeconds: 3600 },
} as const satisfies Readonly<Record<string, TransferRoleDefinition>>;

export type TransferRole = keyof typeof transferRoles;

/** Returns the properties of the pods of a role. */
export function definitionOf(role: TransferRole): TransferRoleDefinition {
  return transferRoles[role];
}

/** The names of the roles on a command line. */
export const transferRoleNames = Object.keys(transferRoles) as readonly TransferRole[];

/** The roles of servers that users reach. */
type ServiceRole = 'apiserver' | 'uploadproxy' | 'dashboard-server';

/** The role of the executable in a pod, which is its first argument. */
export type PodRole = 'controller' | 'installation' | ServiceRole | TransferRole;
