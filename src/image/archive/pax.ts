import { checkedSize, damaged, decimal } from './tar-blocks.ts';

/** What extended headers say about the next member. */
export interface Overrides {
  path?: string;
  /** The target of a link. */
  linkPath?: string;
  /** Bytes of the member that are in the archive. */
  size?: number;
  sparse?: SparseOverrides;
}

/** A sparse file in GNU tar's formats 0.0, 0.1 and 1.0: https://www.gnu.org/software/tar/manual/html_node/PAX-0.html */
export interface SparseOverrides {
  /** Size in bytes, including holes. */
  size: number;
  /** Offset and length of each piece, where the map is in the header and not before the file. */
  numbers: number[] | undefined;
}

/**
 * Parses records of the form "LENGTH KEY=VALUE\n", where LENGTH counts the whole record.
 *
 * @throws TransferError InvalidImage
 */
export function parsePax(records: Buffer): Overrides {
  const overrides: Overrides = {};
  let realSize: number | undefined;
  let isMapInBody = false;
  let sparsePath: string | undefined;
  let numbers: number[] = [];
  for (const [key, value] of recordsOf(records)) {
    if (key === 'path') overrides.path = value;
    else if (key === 'linkpath') overrides.linkPath = value;
    else if (key === 'size') overrides.size = checkedSize(Number(value));
    else if (key === 'GNU.sparse.name') sparsePath = value;
    else if (key === 'GNU.sparse.size' || key === 'GNU.sparse.realsize') realSize = decimal(value);
    else if (key === 'GNU.sparse.major') isMapInBody = value === '1';
    else if (key === 'GNU.sparse.map') numbers = value.split(',').map(decimal);
    else if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') numbers.push(decimal(value));
  }
  // The other path is artificial, for programs without support of sparse files.
  if (sparsePath !== undefined) overrides.path = sparsePath;
  if (realSize !== undefined) overrides.sparse = { size: realSize, numbers: isMapInBody ? undefined : numbers };
  return overrides;
}

function* recordsOf(records: Buffer): Generator<[key: string, value: string]> {
  for (let at = 0; at < records.length;) {
    const length = Number.parseInt(records.toString('latin1', at, at + 20), 10);
    if (!(length > 0)) return;
    const [, key, value = ''] = /^\d+ ([^=]+)=(.*)\n$/s.exec(records.toString('utf8', at, at + length)) ?? [];
    if (key === undefined) throw damaged();
    yield [key, value];
    at += length;
  }
}
