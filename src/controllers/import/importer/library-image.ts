import type { V1Container, V1SecurityContext } from '@kubernetes/client-node';
import type { Annotations, LibraryImage } from '../../../api/sources/common/declaration.ts';
import { configMaps, type Pod } from '../../../kube/builtin-resources.ts';
import { WaitingError } from '../../../kube/errors.ts';
import type { ControllerContext } from '../../runtime/context.ts';

const VOLUME = 'library';
/** The ConfigMap is not watched, so it is looked up again after this time. */
const NOT_FOUND_MILLISECONDS = 15_000;

const securityContext: V1SecurityContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
};

/**
 * Returns the reference of the image with a library, which the claim or the installation names.
 *
 * @throws WaitingError while neither does
 */
export async function libraryImageOf(
  { client, config: { namespace } }: Pick<ControllerContext, 'client' | 'config'>,
  annotations: Annotations,
  { annotation, configMap, key, awaitedReason }: LibraryImage,
): Promise<string> {
  const own = annotations[annotation];
  if (own) return own;
  const common = (await client.get(configMaps, { namespace, name: configMap }))?.data?.[key];
  if (common) return common;
  throw new WaitingError(
    awaitedReason,
    `The import needs an image with the VDDK library of VMware: name it in initImageURL, or an administrator names it ` +
      `in the key ${key} of the ConfigMap "${configMap}" in namespace "${namespace}"; then the import starts`,
    { after: NOT_FOUND_MILLISECONDS },
  );
}

/** Lets an image copy its library, by its own program, to where a transfer pod reads it. */
export function withLibrary(pod: Pod, image: string, { container, directory }: LibraryImage): Pod {
  const [transfer] = pod.spec?.containers ?? [];
  if (!pod.spec || !transfer) return pod;
  const mount = { name: VOLUME, mountPath: directory };
  const bring: V1Container = {
    name: container,
    image,
    resources: transfer.resources,
    securityContext,
    volumeMounts: [mount],
    terminationMessagePolicy: 'FallbackToLogsOnError',
  };
  return {
    ...pod,
    spec: {
      ...pod.spec,
      initContainers: [...(pod.spec.initContainers ?? []), bring],
      containers: [{ ...transfer, volumeMounts: [...(transfer.volumeMounts ?? []), { ...mount, readOnly: true }] }],
      volumes: [...(pod.spec.volumes ?? []), { name: VOLUME, emptyDir: {} }],
    },
  };
}
