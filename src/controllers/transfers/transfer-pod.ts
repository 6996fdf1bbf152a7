import type { V1Affinity, V1VolumeDevice, V1VolumeMount } from '@kubernetes/client-node';
import { stateAnnotation, userAnnotation } from '../../api/annotations.ts';
import { POD_ROLE_LABEL, PROMETHEUS_LABEL } from '../../api/labels.ts';
import type { PersistentVolumeClaim, Pod } from '../../kube/builtin-resources.ts';
import type { OwnerReference } from '../../kube/resource.ts';
import { definitionOf, type TransferRole } from '../../protocol/roles.ts';
import {
  BLOCK_DEVICE_PATH,
  DATA_DIRECTORY,
  PROGRESS_PORT,
  SOURCE_BLOCK_DEVICE_PATH,
  SOURCE_DATA_DIRECTORY,
  WORK_DIRECTORY,
} from '../../protocol/transfer-pod.ts';
import { TLS_CIPHER_SUITES_VARIABLE } from '../../server/tls-settings.ts';
import { marksFor } from '../objects/made-for.ts';
import { pickAnnotations } from '../objects/pick-annotations.ts';
import type { TransferSettings } from '../runtime/settings.ts';
import { joinAffinity } from './join-affinity.ts';

/** User and group ID of transfer pods; disk images belong to the group, as virtual machines expect. */
const QEMU_ID = 107;
/** Size of the work directory, which only ever contains the sockets of qemu-img and nbdkit, and these take no space. */
const WORK_SIZE = '16Mi';
const PASSED_ON_ANNOTATIONS = [
  userAnnotation.podNetworks,
  userAnnotation.podDefaultNetwork,
  userAnnotation.istioInject,
  userAnnotation.linkerdInject,
] as const;

/**
 * The ports at which pods are reached on the cluster's default network, where OVN-Kubernetes makes another one the
 * primary network of their namespace. The value is YAML.
 */
const OPEN_DEFAULT_PORTS = 'k8s.ovn.org/open-default-ports';

export type PodVolume = NonNullable<NonNullable<Pod['spec']>['volumes']>[number];

/** What distinguishes the pods that move data. */
export interface TransferPodOptions {
  readonly name: string;
  readonly namespace: string;
  readonly role: TransferRole;
  readonly env: Readonly<Record<string, string>>;
  readonly claim: { readonly name: string; readonly volumeMode: 'Filesystem' | 'Block'; readonly readOnly: boolean };
  /** A claim that is copied into the other, and only read. */
  readonly source?: { readonly name: string; readonly volumeMode: 'Filesystem' | 'Block' };
  /** Mounts of the pod besides the claim and its work directory; all are read-only but scratch. */
  readonly mounts: readonly { readonly volume: PodVolume; readonly path: string; readonly writable?: boolean }[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Annotations of the claim, of which those for pods are passed on. */
  readonly claimAnnotations: Readonly<Record<string, string>>;
  /** Claim that the pod works for; changes of the pod wake the controllers of that claim. */
  readonly worksFor: PersistentVolumeClaim;
  /** Number of failed pods before this one. */
  readonly restarts: number;
  readonly owner?: OwnerReference;
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly affinity?: V1Affinity;
}

/** Returns a pod that moves data and satisfies the restricted Pod Security Standard. */
export function transferPod(options: TransferPodOptions, settings: TransferSettings): Pod {
  const { label, deadlineSeconds } = definitionOf(options.role);
  const { source } = options;
  const block = options.claim.volumeMode === 'Block';
  const marks = marksFor(options.worksFor);
  const volumes: PodVolume[] = [
    { name: 'data', persistentVolumeClaim: volumeOf(options.claim) },
    ...(source ? [{ name: 'source', persistentVolumeClaim: volumeOf({ ...source, readOnly: true }) }] : []),
    // The size is a hard limit only in memory: on a disk, the kubelet merely measures usage from time to time.
    { name: 'work', emptyDir: { medium: 'Memory', sizeLimit: WORK_SIZE } },
    ...options.mounts.map((mount) => mount.volume),
  ];
  const volumeMounts: V1VolumeMount[] = [
    ...(block ? [] : [{ name: 'data', mountPath: DATA_DIRECTORY, readOnly: options.claim.readOnly }]),
    ...(source?.volumeMode === 'Filesystem'
      ? [{ name: 'source', mountPath: SOURCE_DATA_DIRECTORY, readOnly: true }]
      : []),
    { name: 'work', mountPath: WORK_DIRECTORY },
    ...options.mounts.map(({ volume, path, writable }) => ({
      name: volume.name,
      mountPath: path,
      readOnly: writable !== true,
    })),
  ];
  const env = {
    ...(settings.logFormat === 'json' && { LOG_FORMAT: settings.logFormat }),
    ...(settings.logLevel && { LOG_LEVEL: settings.logLevel }),
    ...(settings.tlsCiphers && { [TLS_CIPHER_SUITES_VARIABLE]: settings.tlsCiphers.join(',') }),
    ...options.env,
  };
  const volumeDevices: V1VolumeDevice[] = [
    ...(block ? [{ name: 'data', devicePath: BLOCK_DEVICE_PATH }] : []),
    ...(source?.volumeMode === 'Block' ? [{ name: 'source', devicePath: SOURCE_BLOCK_DEVICE_PATH }] : []),
  ];
  const priorityClassName = options.claimAnnotations[userAnnotation.podPriorityClassName];
  const serviceAccountName = options.claimAnnotations[userAnnotation.podServiceAccountName];
  const ports = [{ name: 'metrics', containerPort: PROGRESS_PORT }, ...(options.ports ?? [])];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: options.name,
      namespace: options.namespace,
      labels: {
        ...marks.labels,
        [POD_ROLE_LABEL]: label,
        [PROMETHEUS_LABEL]: 'true',
        ...meshLabels(options.claimAnnotations),
        ...options.labels,
      },
      annotations: {
        [userAnnotation.istioInject]: 'false',
        [userAnnotation.linkerdInject]: 'disabled',
        ...pickAnnotations(options.claimAnnotations, PASSED_ON_ANNOTATIONS),
        ...options.annotations,
        ...marks.annotations,
        [OPEN_DEFAULT_PORTS]: openDefaultPorts(ports),
        [stateAnnotation.podRestarts]: String(options.restarts),
      },
      ...(options.owner ? { ownerReferences: [options.owner] } : {}),
    },
    spec: {
      // The controller judges a failure, because it knows whether a retry can help.
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 10,
      ...(deadlineSeconds === undefined ? {} : { activeDeadlineSeconds: deadlineSeconds }),
      // The pod requests no user namespace (hostUsers: false), because that excludes Block volumes, and file systems
      // that cannot map IDs, such as NFS.
      securityContext: {
        runAsNonRoot: true,
        runAsUser: QEMU_ID,
        runAsGroup: QEMU_ID,
        fsGroup: QEMU_ID,
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' },
      },
      ...(priorityClassName ? { priorityClassName } : {}),
      ...(serviceAccountName ? { serviceAccountName } : {}),
      ...(settings.imagePullSecrets.length ? { imagePullSecrets: [...settings.imagePullSecrets] } : {}),
      ...settings.workloadPlacement,
      ...(options.affinity ? { affinity: joinAffinity(settings.workloadPlacement.affinity, options.affinity) } : {}),
      containers: [
        {
          name: options.role,
          image: settings.image,
          imagePullPolicy: settings.imagePullPolicy,
          args: [options.role],
          env: Object.entries(env).map(([name, value]) => ({ name, value })),
          resources: settings.podResources,
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          ports,
          volumeMounts,
          ...(volumeDevices.length > 0 ? { volumeDevices } : {}),
          terminationMessagePolicy: 'File',
        },
      ],
      volumes,
    },
  };
}

function openDefaultPorts(ports: readonly { readonly containerPort: number }[]): string {
  return ports.map(({ containerPort }) => `- protocol: tcp\n  port: ${containerPort}\n`).join('');
}

/**
 * Returns the volume of a claim. A claim that is only read is mounted read-only, because the kubelet would otherwise
 * change the group of all its files to the pod's.
 */
function volumeOf({ name, readOnly }: TransferPodOptions['claim']) {
  return { claimName: name, ...(readOnly ? { readOnly } : {}) };
}

/**
 * Returns labels that opt out of service meshes by default: Istio reads labels before annotations, and takes pods into
 * its ambient mode unless one says otherwise.
 */
function meshLabels(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return annotations[userAnnotation.istioInject] === 'true'
    ? { [userAnnotation.istioInject]: 'true' }
    : { [userAnnotation.istioInject]: 'false', 'istio.io/dataplane-mode': 'none' };
}
