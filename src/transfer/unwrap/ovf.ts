import { TransferError } from '../errors.ts';

/** What an OVF descriptor (DSP0243) says of its disk. */
export interface OvfPackage {
  /** Name of the file in the package. */
  diskFile: string;
}

const START = 4096;
const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Whether a file is an OVF descriptor, by its start. */
export function isOvf(head: Buffer): boolean {
  return /<(\w+:)?Envelope[\s>]/.test(head.toString('utf8', 0, START));
}

/** @throws TransferError UnsupportedImage where there is not exactly one disk, or it is in pieces */
export function parseOvf(text: string, location: string): OvfPackage {
  const files = new Map(elements(text, 'File').map((file) => [file['id'], file]));
  const disks = elements(text, 'Disk').filter((disk) => disk['fileRef'] !== undefined);
  const [disk] = disks;
  if (disk === undefined) throw new TransferError('UnsupportedImage', `${location} describes no disk with an image`);
  if (disks.length > 1) {
    const names = disks.map(({ fileRef }) => files.get(fileRef)?.['href'] ?? fileRef).join(', ');
    throw new TransferError(
      'UnsupportedImage',
      `${location} holds ${disks.length} disks (${names}), and a volume is one: import each from a file of its own`,
    );
  }
  const file = files.get(disk['fileRef']);
  const name = file?.['href'];
  if (name === undefined) throw new TransferError('InvalidImage', `${location} does not say which file its disk is`);
  if (file?.['chunkSize'] !== undefined || /^\w+:\/\//.test(name)) {
    throw new TransferError('UnsupportedImage', `${location} has its disk ${name} in several files or elsewhere`);
  }
  return { diskFile: name };
}

/** The attributes, without their namespaces, of all elements of a name. */
function elements(text: string, name: string): Record<string, string>[] {
  const tags = text.replaceAll(/<!--.*?-->/gs, '').matchAll(new RegExp(`<(?:\\w+:)?${name}\\s([^>]*)>`, 'g'));
  return Array.from(tags, ([, attributes = '']) =>
    Object.fromEntries(
      Array.from(attributes.matchAll(/(?:\w+:)?(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g), ([, key = '', a, b]) => [
        key,
        (a ?? b ?? '').replaceAll(/&(\w+);/g, (entity, its: string) => entities[its] ?? entity),
      ]),
    ),
  );
}
