import { join } from 'node:path';
import { expect } from 'chai';
import type { Pod } from '../../../src/kube/builtin-resources.ts';
import { diskFile } from '../../support/disk-images.ts';
import type { Held } from './proxy-port.ts';
import type { Suite } from './suite.ts';
import type { UploadClients } from './upload-clients.ts';
import { expectUploadedDisk, uploadServerOf } from './uploaded-disk.ts';

const MEBIBYTE = 2 ** 20;
/** Where uploads are held: in the middle of the disk. */
export const MIDDLE = 70 * MEBIBYTE;

/** Uploads of the suite's disk into a new DataVolume by each client; they reject where it fails. */
export function uploadsOf(
  suite: Suite,
  clients: UploadClients,
): Record<'virtctl' | 'diskpress', (target: string) => Promise<void>> {
  const image = () => join(suite.disk.folder, diskFile.raw);
  const options = () => ['--storage-class', suite.classes.standard, '--size', '200Mi'];
  return {
    virtctl: async (target) => {
      await clients.virtctl('dv', target, `--image-path=${image()}`, ...options());
    },
    diskpress: async (target) => {
      const { code, stderr } = await clients.diskpress(image(), `dv/${target}`, ...options()).ended;
      expect(code, stderr).to.equal(0);
    },
  };
}

/** Uploads by both clients at once, which are held in their middle. */
export interface HeldUploads extends Omit<Held, 'held'> {
  /** The pods that take them. */
  readonly servers: readonly Pod[];
  /** Resolves when both are over, and the disks are whole. */
  readonly end: () => Promise<void>;
}

/** Begins an upload by each client, and resolves when both are held in their middle. */
export async function uploadByBoth(suite: Suite, clients: UploadClients, what: string): Promise<HeldUploads> {
  const begun = Object.entries(uploadsOf(suite, clients)).map(([client, upload]) => {
    const target = `${what}-${client}`;
    return { target, upload: () => upload(target) };
  });
  const { held, release, closed } = clients.port.holdAfter(MIDDLE, { count: begun.length });
  const uploading = Promise.all(begun.map(({ upload }) => upload()));
  await Promise.race([held, uploading]);
  const servers = await Promise.all(begun.map(({ target }) => uploadServerOf(suite, target)));
  const end = async () => {
    await uploading;
    for (const { target } of begun) await expectUploadedDisk(suite, target);
  };
  return { servers, release, closed, end };
}
