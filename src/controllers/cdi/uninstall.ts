import type { CDI } from '../../api/cdi.ts';
import type { DataVolume } from '../../api/data-volume.ts';
import { keyOf } from '../../kube/key.ts';

/** Finalizer of the CDI object, by the name that users of CDI know it by. */
export const UNINSTALL_FINALIZER = 'operator.cdi.kubevirt.io';

/** How many DataVolumes are named. */
const NAMED = 5;

export function isBlocking(cdi: Pick<CDI, 'spec'>): boolean {
  return cdi.spec.uninstallStrategy === 'BlockUninstallIfWorkloadsExist';
}

/**
 * Returns why the CDI object may not be deleted, for people, with the names of some DataVolumes; undefined where it
 * may. It does not say how many there are, because that changes all the time.
 */
export function uninstallObstacle(cdi: Pick<CDI, 'spec'>, dataVolumes: readonly DataVolume[]): string | undefined {
  if (!isBlocking(cdi) || dataVolumes.length === 0) return undefined;
  const names = dataVolumes
    .map((dataVolume) => {
      const { namespace, name } = keyOf(dataVolume);
      return `${namespace}/${name}`;
    })
    .sort();
  const more = names.length > NAMED ? ' and more' : '';
  return (
    `there are DataVolumes: ${names.slice(0, NAMED).join(', ')}${more}. Delete them, ` +
    'or set spec.uninstallStrategy to RemoveWorkloads'
  );
}
