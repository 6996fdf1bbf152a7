import type { V1Affinity, V1LocalObjectReference, V1ResourceRequirements, V1Toleration } from '@kubernetes/client-node';
import type { LogFormat, LogLevel } from '../../base/logger.ts';

/** Settings of the installation and of CDIConfig for the pods that move data. */
export interface TransferSettings {
  /** Image of transfer pods, which is the one that the controller itself runs. */
  readonly image: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  readonly imagePullSecrets: readonly V1LocalObjectReference[];
  readonly podResources: V1ResourceRequirements;
  /** Nodes on which transfer pods may run, from CDI.spec.workload. */
  readonly workloadPlacement: {
    readonly nodeSelector?: Record<string, string>;
    readonly tolerations?: V1Toleration[];
    readonly affinity?: V1Affinity;
  };
  /** How transfer pods write their logs; for people unless it is set. */
  readonly logFormat?: LogFormat | undefined;
  /** How much transfer pods log; as usual unless it is set. */
  readonly logLevel?: LogLevel | undefined;
  /** Ciphers of TLS 1.3 that transfer pods use among each other and with the upload proxy; all unless it is set. */
  readonly tlsCiphers?: readonly string[] | undefined;
}

/** Settings of the installation, which the Deployment passes to the executable. */
export interface InstallationSettings {
  readonly image: string;
  /** Namespace of the installation. */
  readonly namespace: string;
  /** Version of the product. */
  readonly version: string;
  /** How the executable writes its log, and transfer pods theirs. */
  readonly logFormat?: LogFormat;
}

/**
 * Requests and limits of transfer pods, unless CDIConfig gives others. Their root is read-only and their work directory
 * is in memory, so their ephemeral storage consists of their logs: the kubelet keeps 50 MB of these by default, on some
 * clusters 250 MB, and evicts a pod that exceeds its limit. The requests count against users' quotas, and those of
 * memory and storage are at least a tenth of the limits, which a LimitRange may require. Two processors are what
 * decoders keep busy.
 */
export const DEFAULT_POD_RESOURCES = {
  requests: { cpu: '100m', memory: '60M', 'ephemeral-storage': '32M' },
  limits: { cpu: '2', memory: '600M', 'ephemeral-storage': '300M' },
} satisfies V1ResourceRequirements;

/** The limit of processors in namespaces whose ResourceQuota or LimitRange does not allow the default one. */
export const MODEST_CPU_LIMIT = '750m';
