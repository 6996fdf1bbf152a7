import type { V1VolumeMount } from '@kubernetes/client-node';
import { stateAnnotation } from '../../api/annotations.ts';
import type { PersistentVolume, Pod, ResourceQuota } from '../../kube/builtin-resources.ts';
import { PROVISIONED_BY_ANNOTATION } from '../objects/evidence.ts';
import {
  handedToAnnotation,
  promisedByAnnotation,
  promisedToAnnotation,
  promisedToClaimAnnotation,
  reclaimPolicyAnnotation,
  retainedForAnnotation,
  retainedForClaimAnnotation,
  workForAnnotation,
  workForClaimAnnotation,
} from '../objects/internal-annotations.ts';
import { pickAnnotations } from '../objects/pick-annotations.ts';

const POD_ANNOTATIONS = [
  stateAnnotation.podRestarts,
  stateAnnotation.checkpointPrevious,
  stateAnnotation.checkpointCurrent,
  stateAnnotation.checkpointFinal,
  workForAnnotation,
  workForClaimAnnotation,
  retainedForAnnotation,
  retainedForClaimAnnotation,
];
const VOLUME_ANNOTATIONS = [
  PROVISIONED_BY_ANNOTATION,
  handedToAnnotation,
  promisedToAnnotation,
  promisedToClaimAnnotation,
  promisedByAnnotation,
  reclaimPolicyAnnotation,
];

/** Reduces the pods of a whole cluster to which claims they mount, and how transfer pods fare. */
export function prunePod(pod: Pod): Pod {
  const { name, namespace, uid, labels, annotations, ownerReferences, deletionTimestamp, resourceVersion } =
    pod.metadata ?? {};
  return {
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion,
      deletionTimestamp,
      labels,
      ownerReferences,
      annotations: pickAnnotations(annotations, POD_ANNOTATIONS),
    },
    spec: {
      nodeName: pod.spec?.nodeName,
      containers: (pod.spec?.containers ?? []).map(mountsOf),
      initContainers: pod.spec?.initContainers?.map(mountsOf),
      volumes: (pod.spec?.volumes ?? []).filter((volume) => volume.persistentVolumeClaim),
    },
    status: {
      phase: pod.status?.phase,
      podIP: pod.status?.podIP,
      reason: pod.status?.reason,
      message: pod.status?.message,
      conditions: pod.status?.conditions,
      containerStatuses: pod.status?.containerStatuses,
      initContainerStatuses: pod.status?.initContainerStatuses,
    },
  };
}

/** Reduces the volumes of a whole cluster to who owns them, where they are, and which claims they are promised to. */
export function pruneVolume(volume: PersistentVolume): PersistentVolume {
  const { name, uid, annotations, deletionTimestamp, resourceVersion } = volume.metadata ?? {};
  const {
    accessModes,
    capacity,
    claimRef,
    csi,
    nodeAffinity,
    persistentVolumeReclaimPolicy,
    storageClassName,
    volumeMode,
  } = volume.spec ?? {};
  return {
    metadata: {
      name,
      uid,
      resourceVersion,
      deletionTimestamp,
      annotations: pickAnnotations(annotations, VOLUME_ANNOTATIONS),
    },
    spec: {
      accessModes,
      capacity,
      claimRef: claimRef && { uid: claimRef.uid, namespace: claimRef.namespace, name: claimRef.name },
      csi: csi && { driver: csi.driver, volumeHandle: csi.volumeHandle },
      nodeAffinity,
      persistentVolumeReclaimPolicy,
      storageClassName,
      volumeMode,
    },
  };
}

/** Reduces a quota to what it allows, because its usage changes with every pod. */
export function pruneQuota({ metadata, spec }: ResourceQuota): ResourceQuota {
  const { name, namespace, uid, resourceVersion } = metadata ?? {};
  return { metadata: { name, namespace, uid, resourceVersion }, spec };
}

function mountsOf({ name, volumeMounts }: { name: string; volumeMounts?: V1VolumeMount[] | undefined }) {
  return { name, volumeMounts };
}
