import { expect } from 'chai';
import fc from 'fast-check';
import { ApiError, isGone } from '../../../src/kube/errors.ts';
import { parseWatchStream } from '../../../src/kube/watch-stream.ts';
import { rejection } from '../../support/rejection.ts';

async function* pieces(bytes: Uint8Array, cuts: number[]): AsyncGenerator<Uint8Array> {
  let start = 0;
  for (const end of [...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    yield bytes.subarray(start, end);
    start = end;
  }
}

async function parse(text: string, cuts: number[] = []): Promise<unknown[]> {
  const events: unknown[] = [];
  for await (const event of parseWatchStream(pieces(Buffer.from(text), cuts))) events.push(event);
  return events;
}

describe('parseWatchStream', () => {
  it('finds the same events however the stream is cut into pieces', async () => {
    const events = fc.array(
      fc.record({ type: fc.constant('ADDED'), object: fc.record({ text: fc.string({ unit: 'binary' }) }) }),
    );
    await fc.assert(
      fc.asyncProperty(events, fc.array(fc.nat(10_000), { maxLength: 20 }), async (events, cuts) => {
        const text = events.map((event) => `${JSON.stringify(event)}\n`).join('');
        expect(await parse(text, cuts)).to.deep.equal(events);
      }),
      { numRuns: 30 },
    );
  });

  it('leaves out what was cut off at the end', async () => {
    expect(await parse('{"type":"ADDED","object":{}}\n\n{"type":"ADD')).to.have.length(1);
  });

  it('does not parse what is known, but the end of an object', async () => {
    const line = (type: string, version: string) =>
      `${JSON.stringify({ type, object: { metadata: { annotations: { text: '"resourceVersion":"1"' }, resourceVersion: version } } })}\n`;
    const text = line('ADDED', '2') + line('MODIFIED', '3') + line('DELETED', '2');
    const events = [];
    for await (const event of parseWatchStream(pieces(Buffer.from(text), []), (version) => version === '2'))
      events.push([event.type, event.object.metadata?.resourceVersion, event.object.metadata?.annotations?.['text']]);
    const annotation = '"resourceVersion":"1"';
    expect(events).to.deep.equal([
      ['BOOKMARK', '2', undefined],
      ['MODIFIED', '3', annotation],
      ['DELETED', '2', annotation],
    ]);
  });

  it('parses what is known where a user has given an annotation the name of the version', async () => {
    const object = { metadata: { annotations: { resourceVersion: '2' }, name: 'planted', resourceVersion: '3' } };
    const text = `${JSON.stringify({ type: 'MODIFIED', object })}\n`;
    for (const known of ['2', '3']) {
      const events = [];
      for await (const event of parseWatchStream(pieces(Buffer.from(text), []), (version) => version === known))
        events.push(event);
      expect(events).to.deep.equal([{ type: 'MODIFIED', object }]);
    }
  });

  it('throws an error that comes as an event', async () => {
    const status = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
    const error = await rejection(parse(`${JSON.stringify({ type: 'ERROR', object: status })}\n`));
    expect(error).to.be.instanceOf(ApiError).and.to.satisfy(isGone);
    expect((error as Error).message).to.equal('too old resource version');
  });
});
