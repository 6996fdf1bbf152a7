import type { Pod } from '../../kube/builtin-resources.ts';
import { defineIndex } from '../../kube/object-index.ts';

/** Returns the `namespace/name` of each claim that a pod mounts. */
export function claimsOf(pod: Pod): string[] {
  return (pod.spec?.volumes ?? []).flatMap((volume) =>
    volume.persistentVolumeClaim ? [`${pod.metadata?.namespace}/${volume.persistentVolumeClaim.claimName}`] : [],
  );
}

/** The index of pods by `namespace/name` of each claim that they mount. */
export const byMountedClaim = defineIndex(claimsOf);
