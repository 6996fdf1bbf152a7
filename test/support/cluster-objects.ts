type VolumeMode = 'Filesystem' | 'Block';

interface ClaimOptions {
  bytes: number;
  volumeMode?: VolumeMode;
  storageClassName?: string;
}

/** A namespace in which only restricted pods are admitted. */
export function namespace(name: string): object {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

export function claim(name: string, namespace: string, { bytes, ...spec }: ClaimOptions): object {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: `${bytes}` } }, ...spec },
  };
}

/** A claim that the storage fills from another claim or from a snapshot. */
export function claimFrom(
  kind: 'PersistentVolumeClaim' | 'VolumeSnapshot',
  source: string,
  name: string,
  namespace: string,
  { bytes, ...spec }: ClaimOptions,
): object {
  const apiGroup = kind === 'VolumeSnapshot' ? { apiGroup: 'snapshot.storage.k8s.io' } : {};
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: `${bytes}` } },
      dataSource: { ...apiGroup, kind, name: source },
      ...spec,
    },
  };
}

export function snapshotOf(persistentVolumeClaimName: string, name: string, namespace: string): object {
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: { name, namespace },
    spec: { source: { persistentVolumeClaimName } },
  };
}

/** A restricted pod that runs a shell script once, with claims at /volumes/<claim>. */
export function pod(name: string, namespace: string, script: string, claims: Record<string, VolumeMode> = {}): object {
  const of = (mode: VolumeMode) => Object.keys(claims).filter((each) => claims[each] === mode);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      restartPolicy: 'Never',
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 107,
        runAsGroup: 107,
        fsGroup: 107,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: 'script',
          image: 'localhost/busybox:1',
          command: ['sh', '-c', script],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          volumeMounts: of('Filesystem').map((each) => ({ name: each, mountPath: `/volumes/${each}` })),
          volumeDevices: of('Block').map((each) => ({ name: each, devicePath: `/volumes/${each}` })),
        },
      ],
      volumes: Object.keys(claims).map((each) => ({ name: each, persistentVolumeClaim: { claimName: each } })),
    },
  };
}
