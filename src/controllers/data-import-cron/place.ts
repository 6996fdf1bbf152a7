import { createHash } from 'node:crypto';
import { imageNameOf } from '../../api/image-digest.ts';
import { type Image, storageClassOf } from './images.ts';

/**
 * Returns the name that an image has, or is to have. It is that of its digest; where an image of that name is of
 * another storage class, which stays in use until the new one is complete, the class is part of the name.
 *
 * @param storageClass class of images now; undefined where there is none yet
 */
export function nameFor(
  digest: string,
  {
    managedDataSource,
    storageClass,
    images,
  }: {
    readonly managedDataSource: string;
    readonly storageClass: string | undefined;
    readonly images: readonly Image[];
  },
): string {
  const plain = imageNameOf(managedDataSource, digest);
  if (storageClass === undefined) return plain;
  const found = images.find(({ name }) => name === plain);
  const foundClass = found && storageClassOf(found);
  if (found && (foundClass === undefined || foundClass === storageClass)) return plain;
  const ofClass = `${plain}-${createHash('sha256').update(storageClass).digest('hex').slice(0, 8)}`;
  return found || images.some(({ name }) => name === ofClass) ? ofClass : plain;
}
