import { TransferError } from '../../base/errors.ts';

/** Labels that images have from which a machine is installed, and which are no disks themselves. */
const labelsOfBootable = ['containers.bootc', 'ostree.bootable'];
/** Values of such a label by which it says no. */
const no = new Set(['', '0', 'false', 'no']);
/** Folders that such images have, without a slash in front. */
export const foldersOfBootable = ['sysroot/ostree', 'ostree', 'usr/lib/bootc', 'usr/lib/ostree'] as const;

const advice =
  'make a disk of it, with bootc-image-builder or bootc install to-disk, and import that, or an image that has it below /disk/';

/**
 * Refuses an image whose labels say that it is a bootable container, before its layers are read.
 *
 * @throws TransferError UnsupportedImage
 */
export function refuseBootable(labels: Readonly<Record<string, string>>, location: string): void {
  const label = labelsOfBootable.find((name) => !no.has((labels[name] ?? '').toLowerCase()));
  if (label === undefined) return;
  throw new TransferError(
    'UnsupportedImage',
    `${location} is a bootable container (its label ${label} says so), from which a machine is installed, and no container disk: ${advice}`,
  );
}

/** Explains that an image has no disk. @param isBootable whether it has folders of a bootable container */
export function diskMissing(location: string, isBootable: boolean): string {
  const missing = `${location} has no file below /disk/, where a container disk keeps its image`;
  return isBootable ? `${missing}: it is a bootable container, from which a machine is installed; ${advice}` : missing;
}

/** Whether a path, without a slash in front, is in a folder of a bootable container, or is one. */
export function isOfBootable(path: string): boolean {
  return foldersOfBootable.some((folder) => path === folder || path.startsWith(`${folder}/`));
}
