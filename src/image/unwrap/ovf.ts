import { TransferError } from '../../base/errors.ts';
import { startTags } from './start-tags.ts';

/** The file that contains the only disk of an OVF descriptor (DSP0243). */
export interface OvfDisk {
  /** The URI reference in the descriptor. */
  href: string;
  /** Size in bytes of each file but the last, where the disk is split into several. */
  chunkSize?: number;
  /** Size in bytes of all these files together, where the descriptor has it. */
  size?: number;
}

const START = 4096;
/** Most files and disks together: a virtual machine has some tens of disks at most, and each has a file. */
const MOST_ELEMENTS = 1000;
/** Most names in a message. */
const MOST_NAMED = 10;

type Attributes = ReadonlyMap<string, string>;

/** Whether a file is an OVF descriptor, by its start. Other documents have envelopes, too (SOAP). */
export function isOvf(head: Buffer): boolean {
  const start = head.toString('utf8', 0, START);
  return /<(\w+:)?Envelope[\s>]/.test(start) && /\bovf\b/i.test(start);
}

/** @throws TransferError UnsupportedImage where there is not exactly one disk, or it is elsewhere; InvalidImage */
export function parseOvf(text: string, location: string): OvfDisk {
  const elements = elementsOf(text, location);
  const files = new Map(elements.File.map((file) => [file.get('id'), file]));
  const disks = elements.Disk.filter((disk) => disk.has('fileRef'));
  const [disk] = disks;
  if (disk === undefined) throw new TransferError('UnsupportedImage', `${location} describes no disk with an image`);
  if (disks.length > 1) {
    const names = disks
      .slice(0, MOST_NAMED)
      .map((each) => files.get(each.get('fileRef'))?.get('href') ?? each.get('fileRef'));
    const others = disks.length > MOST_NAMED ? ', …' : '';
    throw new TransferError(
      'UnsupportedImage',
      `${location} holds ${disks.length} disks (${names.join(', ')}${others}), and a volume is one: import each from a file of its own`,
    );
  }
  const file = files.get(disk.get('fileRef'));
  const href = file?.get('href');
  if (file === undefined || href === undefined) {
    throw new TransferError('InvalidImage', `${location} does not say which file its disk is`);
  }
  if (/^\w+:\/\//.test(href)) {
    throw new TransferError('UnsupportedImage', `${location} has its disk elsewhere, at ${href}: import it from there`);
  }
  const chunkSize = numberOf(file, 'chunkSize');
  if (chunkSize === undefined) return { href };
  const size = numberOf(file, 'size');
  return { href, chunkSize, ...(size !== undefined && { size }) };
}

/** Parses a numeric attribute; undefined where it is missing or meaningless. */
function numberOf(attributes: Attributes, name: string): number | undefined {
  const text = attributes.get(name)?.trim() ?? '';
  return /^\d{1,15}$/.test(text) && Number(text) > 0 ? Number(text) : undefined;
}

/** Returns the attributes of all files and disks. */
function elementsOf(text: string, location: string): Record<'File' | 'Disk', Attributes[]> {
  const found: Record<'File' | 'Disk', Attributes[]> = { File: [], Disk: [] };
  const tags = startTags(text);
  for (let next = tags.next(); ; next = tags.next()) {
    if (next.done === true) {
      if (next.value) return found;
      throw new TransferError('InvalidImage', `the OVF descriptor of ${location} breaks off within a tag or a comment`);
    }
    const { name, attributes } = next.value;
    if (name !== 'File' && name !== 'Disk') continue;
    found[name].push(attributes);
    if (found.File.length + found.Disk.length > MOST_ELEMENTS) {
      throw new TransferError(
        'UnsupportedImage',
        `the OVF descriptor of ${location} has more than ${MOST_ELEMENTS} files and disks: import its disk from a file of its own`,
      );
    }
  }
}
