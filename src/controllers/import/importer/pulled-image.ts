import type { V1Container, V1SecurityContext } from '@kubernetes/client-node';
import type { PulledImage } from '../../../api/sources/common/declaration.ts';
import type { Pod } from '../../../kube/builtin-resources.ts';
import { PULLED_IMAGE_DIRECTORY } from '../../../protocol/transfer-pod.ts';
import { PULLED_IMAGE_CONTAINER } from '../../transfers/pull-refusal.ts';

const VOLUME = 'pulled-image';
/** Size of the volume that holds the executable, which has two megabytes, and a process ID. */
const VOLUME_SIZE = '16Mi';
const PROGRAM = `${PULLED_IMAGE_DIRECTORY}/busybox`;
const ARCHITECTURE_LABEL = 'kubernetes.io/arch';

const securityContext: V1SecurityContext = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

/**
 * Lets a transfer pod read an image that its node pulls. A sidecar runs that image without doing anything: its program
 * is a static one of Diskpress, because the image may not contain any. The importer reads the sidecar's root through
 * the process namespace that they share. A sidecar is started before the pod's work, and ends with it.
 */
export function withPulledImage(pod: Pod, { image, secretName, architecture }: PulledImage): Pod {
  const [transfer] = pod.spec?.containers ?? [];
  if (!pod.spec || !transfer) return pod;
  const mount = { name: VOLUME, mountPath: PULLED_IMAGE_DIRECTORY };
  const provide: V1Container = {
    name: 'provide-program',
    image: transfer.image,
    imagePullPolicy: transfer.imagePullPolicy,
    command: ['cp', '/bin/busybox', PROGRAM],
    resources: transfer.resources,
    securityContext,
    volumeMounts: [mount],
  };
  const keep: V1Container = {
    name: PULLED_IMAGE_CONTAINER,
    image,
    restartPolicy: 'Always',
    // Kubernetes replaces two dollar signs by one.
    command: [PROGRAM, 'sh', '-c', `echo $$$$ > ${PULLED_IMAGE_DIRECTORY}/pid; exec ${PROGRAM} sleep 2147483647`],
    // A container cannot start with less, and quotas hardly notice this much.
    resources: {
      requests: { cpu: '1m', memory: '16M', 'ephemeral-storage': '4M' },
      limits: { cpu: '100m', memory: '32M', 'ephemeral-storage': '32M' },
    },
    securityContext,
    volumeMounts: [mount],
  };
  return {
    ...pod,
    spec: {
      ...pod.spec,
      shareProcessNamespace: true,
      ...(architecture ? { nodeSelector: { ...pod.spec.nodeSelector, [ARCHITECTURE_LABEL]: architecture } } : {}),
      ...(secretName ? { imagePullSecrets: [...(pod.spec.imagePullSecrets ?? []), { name: secretName }] } : {}),
      initContainers: [provide, keep],
      containers: [{ ...transfer, volumeMounts: [...(transfer.volumeMounts ?? []), { ...mount, readOnly: true }] }],
      volumes: [...(pod.spec.volumes ?? []), { name: VOLUME, emptyDir: { sizeLimit: VOLUME_SIZE } }],
    },
  };
}
