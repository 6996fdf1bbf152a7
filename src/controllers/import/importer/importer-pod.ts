import type { V1EnvVar } from '@kubernetes/client-node';
import type { PersistentVolumeClaim, Pod } from '../../../kube/builtin-resources.ts';
import type { OwnerReference } from '../../../kube/resource.ts';
import { IMPORT_REQUEST_VARIABLE, type ImportRequest, OWNER_UID_VARIABLE } from '../../../protocol/transfer-pod.ts';
import type { TransferSettings } from '../../runtime/settings.ts';
import { scratchMounts } from '../../transfers/scratch-claim.ts';
import { transferPod } from '../../transfers/transfer-pod.ts';
import { stageAnnotations } from '../stages/stage-annotations.ts';
import { importPodNameOf } from '../stages/stages.ts';
import { askedSource } from './asked-source.ts';
import { dependencyMounts } from './dependencies.ts';
import type { ProxyAccess } from './proxy.ts';
import { withPulledImage } from './pulled-image.ts';

/** Returns the pod that imports into a claim. */
export function importerPod(
  claim: PersistentVolumeClaim,
  request: ImportRequest,
  proxy: ProxyAccess,
  owner: OwnerReference,
  settings: TransferSettings,
  restarts: number,
): Pod {
  const { name = '', namespace = '', uid = '', annotations = {} } = claim.metadata ?? {};
  const pod = transferPod(
    {
      name: importPodNameOf(claim),
      namespace,
      role: 'importer',
      env: {
        [IMPORT_REQUEST_VARIABLE]: JSON.stringify(request),
        [OWNER_UID_VARIABLE]: owner.uid || uid,
      },
      claim: { name, volumeMode: request.target.volumeMode, readOnly: false },
      mounts: [...dependencyMounts(request.dependencies), ...proxy.mounts, ...scratchMounts(claim, request)],
      claimAnnotations: annotations,
      ...(request.stage ? { annotations: stageAnnotations(request.stage) } : {}),
      worksFor: claim,
      restarts,
      owner,
    },
    settings,
  );
  const connected = withEnvironment(pod, proxy.env);
  const pulledImage = askedSource(annotations).pulledImage?.(annotations);
  return pulledImage ? withPulledImage(connected, pulledImage) : connected;
}

/** Adds environment variables to the container that moves the data. */
function withEnvironment(pod: Pod, more: readonly V1EnvVar[]): Pod {
  const [transfer, ...others] = pod.spec?.containers ?? [];
  if (!pod.spec || !transfer) return pod;
  return {
    ...pod,
    spec: { ...pod.spec, containers: [{ ...transfer, env: [...(transfer.env ?? []), ...more] }, ...others] },
  };
}
