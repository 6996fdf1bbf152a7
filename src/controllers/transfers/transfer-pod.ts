import type { V1Affinity, V1VolumeDevice, V1VolumeMount } from '@kubernetes/client-node';
import { stateAnnotation, userAnnotation } from '../../api/annotations.ts';
import { POD_ROLE_LABEL, PROMETHEUS_LABEL } from '../../api/labels.ts';
import { definitionOf, type TransferRole } from '../../protocol/roles.ts';
import { BLOCK_DEVICE_PATH, DATA_DIRECTORY, PROGRESS_PORT, WORK_DIRECTORY } from '../../protocol/transfer-pod.ts';
import type { PersistentVolumeClaim, Pod } from '../../kube/builtin-resources.ts';
import type { OwnerReference } from '../../kube/resource.ts';
import { marksFor } from '../objects/made-for.ts';
import { pickAnnotations } from '../objects/pick-annotations.ts';
import type { TransferSettings } from '../runtime/settings.ts';

/** The user and group that transfer pods run as; disk images belong to the group, as virtual machines expect. */
const QEMU_ID = 107;
/** Of the work directory: the sockets of qemu-img and nbdkit, which take no room, are all that is ever in it. */
const WORK_SIZE = '16Mi';
const PASSED_ON_ANNOTATIONS = [
  userAnnotation.podNetworks,
  userAnnotation.podDefaultNetwork,
  userAnnotation.istioInject,
  userAnnotation.linkerdInject,
] as const;

export type PodVolume = NonNullable<NonNullable<Pod['spec']>['volumes']>[number];

/** What differs between the pods that move data. */
export interface TransferPodOptions {
  readonly name: string;
  readonly namespace: string;
  readonly role: TransferRole;
  readonly env: Readonly<Record<string, string>>;
  readonly claim: { readonly name: string; readonly volumeMode: 'Filesystem' | 'Block'; readonly readOnly: boolean };
  /** What the pod mounts besides the claim and its work directory; all read-only but scratch. */
  readonly mounts: readonly { readonly volume: PodVolume; readonly path: string; readonly writable?: boolean }[];
  readonly labels?: Readonly<Record<string, string>>;
  /** Annotations of the claim, of which those for pods are passed on. */
  readonly claimAnnotations: Readonly<Record<string, string>>;
  /** The claim that the pod works for; the pod's changes wake the controllers of that claim. */
  readonly worksFor: PersistentVolumeClaim;
  /** Pods that failed before it. */
  readonly restarts: number;
  readonly owner?: OwnerReference;
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly affinity?: V1Affinity;
}

/** A pod that moves data and satisfies the restricted Pod Security Standard. */
export function transferPod(options: TransferPodOptions, settings: TransferSettings): Pod {
  const { label, deadlineSeconds } = definitionOf(options.role);
  const block = options.claim.volumeMode === 'Block';
  const marks = marksFor(options.worksFor);
  const volumes: PodVolume[] = [
    { name: 'data', persistentVolumeClaim: volumeOf(options.claim) },
    // In memory, where the size is a wall: on a disk the kubelet looks from time to time who has taken more.
    { name: 'work', emptyDir: { medium: 'Memory', sizeLimit: WORK_SIZE } },
    ...options.mounts.map((mount) => mount.volume),
  ];
  const volumeMounts: V1VolumeMount[] = [
    ...(block ? [] : [{ name: 'data', mountPath: DATA_DIRECTORY, readOnly: options.claim.readOnly }]),
    { name: 'work', mountPath: WORK_DIRECTORY },
    ...options.mounts.map(({ volume, path, writable }) => ({
      name: volume.name,
      mountPath: path,
      readOnly: writable !== true,
    })),
  ];
  const volumeDevices: V1VolumeDevice[] = block ? [{ name: 'data', devicePath: BLOCK_DEVICE_PATH }] : [];
  const priorityClassName = options.claimAnnotations[userAnnotation.podPriorityClassName];
  const serviceAccountName = options.claimAnnotations[userAnnotation.podServiceAccountName];
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
        ...marks.annotations,
        [stateAnnotation.podRestarts]: String(options.restarts),
      },
      ...(options.owner ? { ownerReferences: [options.owner] } : {}),
    },
    spec: {
      // A failure is judged by the controller, which knows whether trying again can help.
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 10,
      ...(deadlineSeconds === undefined ? {} : { activeDeadlineSeconds: deadlineSeconds }),
      // A user namespace (hostUsers: false) is not asked for: it excludes Block volumes, and file systems that cannot map ids, NFS among them.
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
      ...(options.affinity ? { affinity: { ...settings.workloadPlacement.affinity, ...options.affinity } } : {}),
      containers: [
        {
          name: options.role,
          image: settings.image,
          imagePullPolicy: settings.imagePullPolicy,
          args: [options.role],
          env: Object.entries(options.env).map(([name, value]) => ({ name, value })),
          resources: settings.podResources,
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          ports: [{ name: 'metrics', containerPort: PROGRESS_PORT }, ...(options.ports ?? [])],
          volumeMounts,
          ...(block ? { volumeDevices } : {}),
          terminationMessagePolicy: 'File',
        },
      ],
      volumes,
    },
  };
}

/** A volume that is only read is mounted so: else the kubelet would give all of its files to the pod's group. */
function volumeOf({ name, readOnly }: TransferPodOptions['claim']) {
  return { claimName: name, ...(readOnly ? { readOnly } : {}) };
}

/** Istio looks for labels before annotations, and takes pods into its ambient mode where none says otherwise. */
function meshLabels(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return annotations[userAnnotation.istioInject] === 'true'
    ? { [userAnnotation.istioInject]: 'true' }
    : { [userAnnotation.istioInject]: 'false', 'istio.io/dataplane-mode': 'none' };
}
