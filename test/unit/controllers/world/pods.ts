import { POD_ROLE_LABEL } from '../../../../src/api/labels.ts';
import { workForAnnotation } from '../../../../src/controllers/objects/internal-annotations.ts';
import { type PersistentVolume, type Pod, pods } from '../../../../src/kube/builtin-resources.ts';
import { keyOf } from '../../../../src/kube/key.ts';
import type { SimulatedApi } from './api.ts';
import type { Data } from './data.ts';

const TRANSFER_LABEL = 'cdi.kubevirt.io/transfer';
const RESULT = JSON.stringify({ outcome: 'succeeded', bytesRead: 1, bytesWritten: 1 });

/**
 * Lets each transfer pod come one step further: it starts once it has its volumes, and then succeeds, unless a test has
 * told of its conditions. Others' pods do nothing.
 */
export function runPods(api: SimulatedApi, data: Data): void {
  for (const pod of api.list(pods)) {
    const isOurs = pod.metadata?.annotations?.[workForAnnotation] !== undefined;
    const isOver = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
    const isHeld = pod.status?.conditions !== undefined;
    if (!isOurs || isOver || isHeld || !volumesOf(pod, data)) continue;
    if (pod.status?.phase !== 'Running') tell(api, pod, 'Running', { running: {} });
    else if (hasMoved(pod, api, data)) tell(api, pod, 'Succeeded', { terminated: { exitCode: 0, message: RESULT } });
  }
}

/** Whether the pod's work is done; its bytes are on its volume then. */
function hasMoved(pod: Pod, api: SimulatedApi, data: Data): boolean {
  const [volume, copied] = volumesOf(pod, data) ?? [];
  const role = roleOf(pod);
  if (role === 'importer') data.put(volume?.metadata?.name, ['an import']);
  const isUploaded = pod.spec?.containers[0]?.name === 'upload-server';
  if (isUploaded) data.put(volume?.metadata?.name, ['an upload']);
  const hasBothVolumes = pod.spec?.containers[0]?.name === 'copy-volume';
  if (hasBothVolumes) data.put(volume?.metadata?.name, data.of(copied?.metadata?.name));
  if (role !== 'cdi-upload-server' || isUploaded || hasBothVolumes) return true;
  const isSource = (other: Pod) =>
    roleOf(other) === 'cdi-clone-source' &&
    other.metadata?.annotations?.[workForAnnotation] !== undefined &&
    other.metadata.labels?.[TRANSFER_LABEL] === pod.metadata?.labels?.[TRANSFER_LABEL] &&
    other.status?.phase !== undefined;
  const sources = api.list(pods).filter(isSource);
  for (const source of sources)
    for (const read of volumesOf(source, data) ?? []) data.put(volume?.metadata?.name, data.of(read.metadata?.name));
  return sources.length > 0;
}

function roleOf({ metadata }: Pod): string | undefined {
  return metadata?.labels?.[POD_ROLE_LABEL];
}

/** The volumes of the claims that a pod mounts; undefined while one of them has none. */
function volumesOf(pod: Pod, data: Data): PersistentVolume[] | undefined {
  const names = (pod.spec?.volumes ?? []).flatMap(
    ({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? [],
  );
  const found = names.map((name) => data.volumeOf({ ...keyOf(pod), name }));
  return found.every((volume) => volume !== undefined) ? found : undefined;
}

function tell(api: SimulatedApi, pod: Pod, phase: string, state: object): void {
  const { name = '' } = pod.spec?.containers[0] ?? {};
  api.change('cluster', pods, keyOf(pod), (current) => ({
    ...current,
    status: { phase, containerStatuses: [{ name, state } as never] },
  }));
}
