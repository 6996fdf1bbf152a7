import type { PersistentVolumeClaim, Pod } from '../../../kube/builtin-resources.ts';
import { transferSecretName, uploadPodName } from '../../../protocol/object-names.ts';
import {
  COPY_PORT,
  OWNER_UID_VARIABLE,
  TRANSFER_TLS_DIRECTORY,
  UPLOAD_REQUEST_VARIABLE,
  type UploadRequest,
} from '../../../protocol/transfer-pod.ts';
import type { TransferSettings } from '../../runtime/settings.ts';
import { scratchMounts } from '../../transfers/scratch-claim.ts';
import type { PodPlan } from '../../transfers/transfer-kind.ts';
import { transferPod } from '../../transfers/transfer-pod.ts';
import { TRANSFER_LABEL } from '../../transfers/transfer-service.ts';

/** Returns the pod that takes an upload into a claim. */
export function uploadServerPod(
  claim: PersistentVolumeClaim,
  request: UploadRequest,
  { owner, restarts }: PodPlan,
  settings: TransferSettings,
): Pod {
  const { name = '', namespace = '', uid = '', annotations = {} } = claim.metadata ?? {};
  return transferPod(
    {
      name: uploadPodName(name),
      namespace,
      role: 'upload-server',
      env: {
        [UPLOAD_REQUEST_VARIABLE]: JSON.stringify(request),
        [OWNER_UID_VARIABLE]: owner.uid || uid,
      },
      claim: { name, volumeMode: request.target.volumeMode, readOnly: false },
      mounts: [
        {
          volume: { name: 'tls', secret: { secretName: transferSecretName(uid), defaultMode: 0o440 } },
          path: TRANSFER_TLS_DIRECTORY,
        },
        ...scratchMounts(claim, request),
      ],
      claimAnnotations: annotations,
      worksFor: claim,
      restarts,
      labels: { [TRANSFER_LABEL]: uid },
      owner,
      ports: [{ name: 'upload', containerPort: COPY_PORT }],
    },
    settings,
  );
}
