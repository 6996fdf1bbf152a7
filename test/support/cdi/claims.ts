import type { DataVolume, DataVolumeSpec } from '../../../src/api/data-volume.ts';
import type { PersistentVolumeClaim, Pod, Service } from '../../../src/kube/builtin-resources.ts';
import type { OwnerReference } from '../../../src/kube/resource.ts';
import { uploadServiceName } from '../../../src/protocol/object-names.ts';

/**
 * Objects as CDI v1.6x leaves them in a cluster, by their names, labels, annotations, owners and finalizers. They are
 * written from its source and from clusters that it runs in.
 */

type Annotations = Readonly<Record<string, string>>;
interface Placed {
  readonly namespace: string;
  readonly name: string;
}

const labels = {
  app: 'containerized-data-importer',
  'app.kubernetes.io/component': 'storage',
  'app.kubernetes.io/managed-by': 'cdi-controller',
};

const controlledBy = (kind: string, { metadata: { name = '', uid = '' } = {} }: PersistentVolumeClaim | DataVolume) =>
  ({
    apiVersion: kind === 'DataVolume' ? 'cdi.kubevirt.io/v1beta1' : 'v1',
    kind,
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  }) satisfies OwnerReference;

/** A DataVolume with what CDI's webhook and controllers have written on it. */
export function dataVolumeOfCdi(at: Placed, spec: Partial<DataVolumeSpec>, annotations: Annotations = {}): DataVolume {
  return {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataVolume',
    metadata: { ...at, annotations: { 'cdi.kubevirt.io/storage.usePopulator': 'true', ...annotations } },
    spec: { storage: { resources: { requests: { storage: '1Gi' } } }, ...spec },
  };
}

/** The claim of a DataVolume of CDI, which a populator fills. */
export function targetClaimOfCdi(
  dataVolume: DataVolume,
  kind: 'Import' | 'Upload' | 'Clone',
  storageClassName: string,
  annotations: Annotations = {},
): PersistentVolumeClaim {
  const { name, namespace, uid } = dataVolume.metadata;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name,
      namespace,
      labels: { ...labels, 'alerts.k8s.io/KubePersistentVolumeFillingUp': 'disabled' },
      annotations: {
        'cdi.kubevirt.io/createdForDataVolume': uid ?? '',
        'cdi.kubevirt.io/storage.contentType': 'kubevirt',
        'cdi.kubevirt.io/storage.usePopulator': 'true',
        'cdi.kubevirt.io/storage.condition.running': 'false',
        'cdi.kubevirt.io/storage.condition.running.message': '',
        'cdi.kubevirt.io/storage.condition.running.reason': 'Pending',
        ...annotations,
      },
      ownerReferences: [controlledBy('DataVolume', dataVolume)],
      ...(kind === 'Clone' ? { finalizers: ['cdi.kubevirt.io/clonePopulator'] } : {}),
    },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName,
      resources: { requests: { storage: '1Gi' } },
      dataSourceRef: {
        apiGroup: 'cdi.kubevirt.io',
        kind: `Volume${kind}Source`,
        name: `volume-${kind.toLowerCase()}-source-${uid}`,
      },
    },
  };
}

/** The working claim of an import or upload. */
export function primeClaimOfCdi(target: PersistentVolumeClaim, annotations: Annotations): PersistentVolumeClaim {
  const { namespace, uid } = target.metadata ?? {};
  const { accessModes, resources, storageClassName, volumeMode } = target.spec ?? {};
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: `prime-${uid}`,
      namespace,
      labels: { ...labels, 'velero.io/exclude-from-backup': 'true' },
      annotations: {
        'cdi.kubevirt.io/storage.bind.immediate.requested': '',
        'cdi.kubevirt.io/storage.populator.kind': target.spec?.dataSourceRef?.kind ?? '',
        'cdi.kubevirt.io/storage.contentType': 'kubevirt',
        'cdi.kubevirt.io/storage.preallocation.requested': 'false',
        ...annotations,
      },
      ownerReferences: [controlledBy('PersistentVolumeClaim', target)],
    },
    spec: {
      ...(accessModes ? { accessModes } : {}),
      ...(resources ? { resources } : {}),
      ...(storageClassName ? { storageClassName } : {}),
      ...(volumeMode ? { volumeMode } : {}),
    },
  };
}

/** The temporary claim of a host-assisted clone, in the namespace of its source; it has no owner. */
export function temporaryClaimOfCdi(
  target: PersistentVolumeClaim,
  source: Placed,
  annotations: Annotations = {},
): PersistentVolumeClaim {
  const { namespace, name, uid = '' } = target.metadata ?? {};
  const { accessModes, resources, storageClassName } = target.spec ?? {};
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: `tmp-pvc-${uid}`,
      namespace: source.namespace,
      labels: { ...labels, 'cdi.kubevirt.io/OwnedByUID': uid, 'velero.io/exclude-from-backup': 'true' },
      annotations: {
        'cdi.kubevirt.io/ownerUID': uid,
        'cdi.kubevirt.io/storage.populator.kind': 'VolumeCloneSource',
        'cdi.kubevirt.io/storage.pod.restarts': '0',
        'cdi.kubevirt.io/storage.preallocation.requested': 'false',
        'cdi.kubevirt.io/events.source': `${namespace}/${name}`,
        'cdi.kubevirt.io/events.source.kind': 'PersistentVolumeClaim',
        'k8s.io/CloneRequest': `${source.namespace}/${source.name}`,
        ...annotations,
      },
    },
    spec: {
      ...(accessModes ? { accessModes } : {}),
      ...(resources ? { resources } : {}),
      ...(storageClassName ? { storageClassName } : {}),
    },
  };
}

interface PodOptions {
  readonly name: string;
  readonly role: 'importer' | 'cdi-clone-source' | 'cdi-upload-server';
  readonly image?: string;
  readonly command?: readonly string[];
}

/** A pod of CDI that works on a claim, which owns it unless the pod only reads it. */
export function podOfCdi(claim: PersistentVolumeClaim, { name, role, image, command }: PodOptions): Pod {
  const { namespace, name: claimName = '' } = claim.metadata ?? {};
  const isReader = role === 'cdi-clone-source';
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      labels: { ...labels, 'cdi.kubevirt.io': role, 'prometheus.cdi.kubevirt.io': 'true' },
      annotations: { 'cdi.kubevirt.io/storage.createdByController': 'yes' },
      ...(isReader ? {} : { ownerReferences: [controlledBy('PersistentVolumeClaim', claim)] }),
    },
    spec: {
      restartPolicy: 'OnFailure',
      terminationGracePeriodSeconds: 1,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 107,
        fsGroup: 107,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: role,
          image: image ?? `quay.io/kubevirt/cdi-${role === 'importer' ? 'importer' : 'cloner'}:v1.62.0`,
          ...(command ? { command: [...command] } : { args: ['-v=1'] }),
          env: [
            { name: 'IMPORTER_SOURCE', value: 'http' },
            { name: 'IMPORTER_CONTENTTYPE', value: 'kubevirt' },
          ],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          volumeMounts: [{ name: 'cdi-data-vol', mountPath: '/data', readOnly: isReader }],
        },
      ],
      volumes: [{ name: 'cdi-data-vol', persistentVolumeClaim: { claimName, readOnly: isReader } }],
    },
  };
}

/** The Service of a pod that is uploaded to. */
export function uploadServiceOfCdi(claim: PersistentVolumeClaim): Service {
  const name = uploadServiceName(claim.metadata?.name ?? '');
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name,
      namespace: claim.metadata?.namespace,
      labels: { ...labels, 'cdi.kubevirt.io': 'cdi-upload-server' },
      ownerReferences: [controlledBy('PersistentVolumeClaim', claim)],
    },
    spec: { selector: { service: name }, ports: [{ protocol: 'TCP', port: 443, targetPort: 8443 }] },
  };
}
