import { userAnnotation } from '../../api/annotations.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';

/** Reports whether the pods of a transfer are kept after they have succeeded. */
export function isPodRetained({ metadata }: PersistentVolumeClaim): boolean {
  return metadata?.annotations?.[userAnnotation.podRetainAfterCompletion] === 'true';
}
