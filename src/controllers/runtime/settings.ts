import type { V1Affinity, V1LocalObjectReference, V1ResourceRequirements, V1Toleration } from '@kubernetes/client-node';

/** What of the installation and of CDIConfig shapes the pods that move data. */
export interface TransferSettings {
  /** The image of transfer pods: the one that the controller itself runs. */
  readonly image: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  readonly imagePullSecrets: readonly V1LocalObjectReference[];
  readonly podResources: V1ResourceRequirements;
  /** CDI.spec.workload: where transfer pods may run. */
  readonly workloadPlacement: {
    readonly nodeSelector?: Record<string, string>;
    readonly tolerations?: V1Toleration[];
    readonly affinity?: V1Affinity;
  };
}

/** What the executable is told about itself by its Deployment. */
export interface InstallationSettings {
  readonly image: string;
  /** Namespace of the installation. */
  readonly namespace: string;
  /** Version of the product. */
  readonly version: string;
}

/**
 * The requests and limits of transfer pods where CDIConfig gives none. Their root is read-only and their work directory is in memory,
 * so that ephemeral storage is what they log: the kubelet keeps 50 MB of that unless told otherwise, on some clusters 250 MB, and evicts a
 * pod that has more than its limit. The requests count against users' quotas, and are never less than a tenth of the limits, which
 * a LimitRange may ask for.
 */
export const DEFAULT_POD_RESOURCES: V1ResourceRequirements = {
  requests: { cpu: '100m', memory: '60M', 'ephemeral-storage': '32M' },
  limits: { cpu: '750m', memory: '600M', 'ephemeral-storage': '300M' },
};
