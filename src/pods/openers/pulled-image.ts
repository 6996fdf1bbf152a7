import type { OpenerOf } from './opener.ts';
import { pulledImageRoot } from './pulled-image-root.ts';

export const pulledImage: OpenerOf<'pulled-image'> = {
  async open({ image }, { mounts, progress, signal }) {
    const root = await pulledImageRoot(mounts.pulledImage, image, signal);
    const { ContainerDiskSource } = await import('../../source/kinds/container-disk-source.ts');
    return { source: new ContainerDiskSource({ ...root, location: image }, progress) };
  },
};
