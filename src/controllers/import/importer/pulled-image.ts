import type { V1Container, V1SecurityContext } from '@kubernetes/client-node';
import type { PulledImage } from '../../../api/sources/common/declaration.ts';
import { PULLED_IMAGE_DIRECTORY } from '../../../protocol/transfer-pod.ts';
import type { Pod } from '../../../kube/builtin-resources.ts';

const VOLUME = 'pulled-image';
/** Of the volume, which holds our program of two megabytes and the number of a process. */
const VOLUME_SIZE = '16Mi';
const PROGRAM = `${PULLED_IMAGE_DIRECTORY}/busybox`;
const ARCHITECTURE_LABEL = 'kubernetes.io/arch';

const securityContext: V1SecurityContext = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

/**
 * Lets a transfer pod read an image that its node pulls. A sidecar of that image does nothing but exist: the program that
 * it runs is ours and static, since the image may have none. The importer looks into its root through the process namespace
 * that they share. A sidecar ends with the pod's work, and is started before it.
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
    name: 'image',
    image,
    restartPolicy: 'Always',
    // Kubernetes takes two dollar signs for one.
    command: [PROGRAM, 'sh', '-c', `echo $$$$ > ${PULLED_IMAGE_DIRECTORY}/pid; exec ${PROGRAM} sleep 2147483647`],
    // No less than a container is started with, and nothing that a quota would notice.
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
