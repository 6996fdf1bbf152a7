import type { V1VolumeMount } from '@kubernetes/client-node';
import { stateAnnotation } from '../api/annotations.ts';
import type { PersistentVolume, Pod } from '../kube/builtin-resources.ts';
import {
  promisedToAnnotation,
  promisedToClaimAnnotation,
  reclaimPolicyAnnotation,
  workForClaimAnnotation,
} from './internal-annotations.ts';

const POD_ANNOTATIONS = [stateAnnotation.podRestarts, workForClaimAnnotation];
const VOLUME_ANNOTATIONS = [promisedToAnnotation, promisedToClaimAnnotation, reclaimPolicyAnnotation];

/** Of the pods of a whole cluster, keeps only what tells who mounts which claim and how transfer pods fare. */
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
      annotations: Object.fromEntries(POD_ANNOTATIONS.map((kept) => [kept, annotations?.[kept] ?? ''])),
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

/** Of the volumes of a whole cluster, keeps only what tells whose they are, where they are, and whom they are promised to. */
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
  const kept = VOLUME_ANNOTATIONS.filter((each) => annotations?.[each] !== undefined);
  return {
    metadata: {
      name,
      uid,
      resourceVersion,
      deletionTimestamp,
      annotations: Object.fromEntries(kept.map((each) => [each, annotations?.[each] ?? ''])),
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

function mountsOf({ name, volumeMounts }: { name: string; volumeMounts?: V1VolumeMount[] | undefined }) {
  return { name, volumeMounts };
}
