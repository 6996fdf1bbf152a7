import { POD_ROLE_LABEL } from '../../api/labels.ts';
import { ownerReference } from '../../kube/apply.ts';
import type { PersistentVolumeClaim, Service } from '../../kube/builtin-resources.ts';
import { keyOf, type ObjectKey } from '../../kube/key.ts';
import { uploadServiceName } from '../../protocol/object-names.ts';
import { definitionOf, type TransferRole } from '../../protocol/roles.ts';
import { COPY_PORT } from '../../protocol/transfer-pod.ts';
import { marksFor } from '../objects/made-for.ts';

/** The label of the pods of a transfer over the network, with the uid of the claim that is written. */
export const TRANSFER_LABEL = 'cdi.kubevirt.io/transfer';

/** Returns the name of the Service of the pod that writes a claim. */
export function transferServiceKey(claim: PersistentVolumeClaim): ObjectKey {
  const { namespace, name } = keyOf(claim);
  return { namespace, name: uploadServiceName(name) };
}

/** Returns the host name of a Service, for which the certificate of its pod is issued. */
export function serverNameOf({ name, namespace }: ObjectKey): string {
  return `${name}.${namespace}.svc`;
}

/**
 * Returns the Service of the pod that writes a claim. It leads to the pod also while that is not ready, because a probe
 * that fails for a moment must not break a connection.
 */
export function transferService(claim: PersistentVolumeClaim, role: TransferRole): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...transferServiceKey(claim), ...marksFor(claim), ownerReferences: [ownerReference(claim)] },
    spec: {
      selector: { [TRANSFER_LABEL]: claim.metadata?.uid ?? '', [POD_ROLE_LABEL]: definitionOf(role).label },
      ports: [{ name: 'https', port: COPY_PORT, targetPort: COPY_PORT }],
      publishNotReadyAddresses: true,
    },
  };
}
