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
}

/** The requests and limits of transfer pods where CDIConfig gives none. */
export const DEFAULT_POD_RESOURCES: V1ResourceRequirements = {
  requests: { cpu: '100m', memory: '60M' },
  limits: { cpu: '750m', memory: '600M' },
};
