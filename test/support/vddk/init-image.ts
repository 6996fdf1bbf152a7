import { createHash } from 'node:crypto';
import { copyFile, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildah, withImageLock } from '../../cluster/buildah.ts';
import { loadImage } from '../../cluster/index.ts';
import { staticBusybox } from '../../cluster/static-busybox.ts';

const containerfile = `FROM scratch
COPY busybox /bin/busybox
COPY vmware-vix-disklib-distrib /vmware-vix-disklib-distrib
USER 107
ENTRYPOINT ["/bin/busybox", "cp", "-r", "/vmware-vix-disklib-distrib", "/opt"]
`;

/**
 * Makes an image that brings the stand-in library with its disks, and loads it into the nodes of the cluster.
 *
 * @param library folder of the library
 * @param parent an existing folder for what it is made of
 * @returns its reference
 */
export async function loadVddkImage(library: string, parent: string): Promise<string> {
  const context = await mkdtemp(join(parent, 'vddk-image-'));
  const image = `localhost/vddk-stand-in:${createHash('sha256').update(context).digest('hex').slice(0, 12)}`;
  const log = (): void => undefined;
  try {
    await copyFile((await staticBusybox())!, join(context, 'busybox'));
    await mkdir(join(context, 'vmware-vix-disklib-distrib'));
    await cp(library, join(context, 'vmware-vix-disklib-distrib'), { recursive: true });
    await writeFile(join(context, 'Containerfile'), containerfile);
    await withImageLock(log, () => buildah('build', ['--quiet', '--tag', image, context]));
    await loadImage(image);
    await withImageLock(log, () => buildah('rmi', [image]));
  } finally {
    await rm(context, { recursive: true, force: true });
  }
  return image;
}
