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
 * @throws {ApiError} for an ERROR event: a server that abandons a watch reports it inside a stream that then ends
 * cleanly
 */
export async function* parseWatchStream<T extends KubeObject>(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<WatchEvent<T>> {
  for await (const line of lines(body)) {
    const event = JSON.parse(line) as WatchEvent<T> | { type: 'ERROR'; object: Partial<V1Status> };
    if (event.type === 'ERROR') throw new ApiError({ ...event.object, code: event.object.code ?? 500 });
    yield event;
  }
}

async function* lines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const text = decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      const line = rest + text.slice(start, end);
      rest = '';
      start = end + 1;
      if (line.trim() !== '') yield line;
    }
    rest += text.slice(start);
  }
  // A last line without a line break was truncated, and is sent again by the next watch.
}
