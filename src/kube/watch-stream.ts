import type { V1Status } from '@kubernetes/client-node';
import { ApiError } from './errors.ts';
import type { KubeObject } from './resource.ts';

/** An event of a watch. The object of a BOOKMARK has only a resourceVersion: everything up to it has been sent. */
export interface WatchEvent<T extends KubeObject> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: T;
}

/**
 * Parses the body of a watch response: one JSON document for each line.
 *
 * @param isKnown whether the object of this version need not be parsed; such an event comes as a BOOKMARK
 * @throws {ApiError} for an ERROR event: a server that abandons a watch reports it inside a stream that then ends
 * cleanly
 */
export async function* parseWatchStream<T extends KubeObject>(
  body: AsyncIterable<Uint8Array>,
  isKnown?: (resourceVersion: string) => boolean,
): AsyncGenerator<WatchEvent<T>> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = decoder.decode(chunk, { stream: true }).split('\n');
    lines[0] = rest + (lines[0] ?? '');
    // What follows the last line break is not complete; at the end of the body it is sent again by the next watch.
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield parseEvent<T>(line, isKnown);
  }
}

function parseEvent<T extends KubeObject>(line: string, isKnown?: (version: string) => boolean): WatchEvent<T> {
  const resourceVersion = isKnown && versionIn(line);
  if (resourceVersion && isKnown(resourceVersion)) {
    return { type: 'BOOKMARK', object: { metadata: { resourceVersion } } as T };
  }
  const event = JSON.parse(line) as WatchEvent<T> | { type: 'ERROR'; object: Partial<V1Status> };
  if (event.type === 'ERROR') throw new ApiError({ ...event.object, code: event.object.code ?? 500 });
  return event;
}

const VERSION = '"resourceVersion":"';

/**
 * Finds the version of the object in an event that leaves it in being, where nothing else in it has that name: an
 * annotation or a label may, which a user writes. In texts the quotes have backslashes.
 */
function versionIn(line: string): string | undefined {
  if (!line.startsWith('{"type":"MODIFIED"') && !line.startsWith('{"type":"ADDED"')) return undefined;
  const at = line.indexOf(VERSION);
  if (at < 0 || line.lastIndexOf(VERSION) !== at) return undefined;
  return line.slice(at + VERSION.length, line.indexOf('"', at + VERSION.length));
}
