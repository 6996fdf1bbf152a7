import { TransferError } from '../../base/errors.ts';
import { type DaemonExtent, daemonExtent } from './documents.ts';
import { ExtentMap } from './extent-map.ts';

/** Longest text of one extent, in characters. */
const LONGEST_EXTENT = 4096;

/**
 * Reads the daemon's answer about the extents of an image while it arrives, because it may be longer than what should
 * be kept in memory.
 *
 * @param isDelta whether the image is a snapshot without those before it, so that its holes are unchanged
 * @throws TransferError ProtocolViolation where the extents do not describe an image, and the errors of the body
 */
export async function readExtents(body: AsyncIterable<Buffer>, isDelta: boolean, host: string): Promise<ExtentMap> {
  const map = new ExtentMap();
  for await (const text of objectsIn(body, host)) {
    const extent = parseExtent(text);
    if (extent === undefined || extent.start !== map.size || (isDelta && extent.hole === undefined)) {
      throw violation(host, `an extent that does not follow byte ${map.size}, or says too little`);
    }
    map.append(extent.length, contentOf(extent, isDelta));
  }
  if (!Number.isSafeInteger(map.size)) throw violation(host, 'a size that no disk has');
  return map;
}

function contentOf({ zero, hole }: DaemonExtent, isDelta: boolean) {
  if (isDelta && hole === true) return 'unchanged';
  return zero ? 'zeros' : 'data';
}

/** Yields the objects of a JSON array, which have no objects in them. */
async function* objectsIn(body: AsyncIterable<Buffer>, host: string): AsyncGenerator<string, void, void> {
  let rest = '';
  for await (const chunk of body) {
    const text = rest + chunk.toString('latin1');
    let taken = 0;
    for (const match of text.matchAll(/[\s,[]*(\{[^{}]*\})/gy)) {
      yield match[1] ?? '';
      taken = match.index + match[0].length;
    }
    rest = text.slice(taken);
    if (rest.length > LONGEST_EXTENT) throw violation(host, 'something that is not a list of extents');
  }
  if (!/^[\s[]*\]\s*$/.test(rest)) throw violation(host, 'a list of extents that is not complete');
}

function parseExtent(text: string): DaemonExtent | undefined {
  try {
    return daemonExtent.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function violation(host: string, what: string): TransferError {
  return new TransferError('ProtocolViolation', `${host}, which serves the disk, tells ${what}`);
}
