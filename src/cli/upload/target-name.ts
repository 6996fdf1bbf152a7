import { basename } from 'node:path';
import { TransferError } from '../../base/errors.ts';

/** What is uploaded into, as it is named on the command line. */
export interface TargetName {
  readonly kind: 'DataVolume' | 'PersistentVolumeClaim';
  readonly name: string;
}

const kinds: Readonly<Record<string, TargetName['kind']>> = {
  dv: 'DataVolume',
  datavolume: 'DataVolume',
  pvc: 'PersistentVolumeClaim',
  persistentvolumeclaim: 'PersistentVolumeClaim',
};

const LONGEST_NAME = 253;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
/** Endings that say what a file is, of images and of what they are packed in. */
const ENDINGS =
  /(\.(img|raw|qcow|qcow2|vmdk|vdi|vhd|vhdx|vpc|qed|iso|ova|tar|tgz|txz|zip|gz|xz|zst|zstd|bz2|lz4|lzma))+$/;

/**
 * Parses `dv/NAME` or `pvc/NAME`; a NAME alone is that of a DataVolume. Where no target is given, a DataVolume is named
 * as the file is, without its endings.
 *
 * @throws TransferError InvalidRequest
 */
export function parseTarget(given: string | undefined, file: string): TargetName {
  if (given === undefined) return { kind: 'DataVolume', name: nameOf(file) };
  const [, prefix = 'dv', name = ''] = /^(?:([^/]*)\/)?([^/]*)$/.exec(given) ?? [];
  const kind = Object.hasOwn(kinds, prefix) ? kinds[prefix] : undefined;
  if (kind !== undefined && isName(name)) return { kind, name };
  throw new TransferError('InvalidRequest', `the target ${given} should be dv/NAME or pvc/NAME`);
}

function nameOf(file: string): string {
  if (file === '-') throw new TransferError('InvalidRequest', 'standard input has no name: name a target, as dv/NAME');
  const name = basename(file)
    .toLowerCase()
    .replace(ENDINGS, '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, LONGEST_NAME)
    .replaceAll(/^-+|-+$/g, '');
  if (isName(name)) return name;
  throw new TransferError('InvalidRequest', `${file} does not say how a DataVolume could be named: add dv/NAME`);
}

const isName = (name: string) => name.length <= LONGEST_NAME && DNS_SUBDOMAIN.test(name);
