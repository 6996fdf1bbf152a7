import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { TransferError } from '../../../../src/base/errors.ts';
import { Progress } from '../../../../src/base/progress.ts';
import { ExtentMap } from '../../../../src/source/imageio/extent-map.ts';
import { Segments } from '../../../../src/source/imageio/segments.ts';
import type { TransferSession } from '../../../../src/source/imageio/transfer-session.ts';

const KIBIBYTE = 1024;
const byteAt = (offset: number): number => (offset / KIBIBYTE) % 251;

describe('the segments of a disk', () => {
  const range = fc.record({ kibibytes: fc.integer({ min: 1, max: 20_000 }), isData: fc.boolean() });

  it('hold what the disk holds, over so many connections at most, whatever is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(range, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 4096 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.infiniteStream(fc.integer({ min: 0, max: 30 })),
        async (ranges, most, kibibytes, share, chances) => {
          const extents = new ExtentMap();
          for (const one of ranges) extents.append(one.kibibytes * KIBIBYTE, one.isData ? 'data' : 'zeros');
          const cut = (): void => {
            if (chances.next().value === 0) throw new TransferError('ConnectionLost', 'cut');
          };
          let open = 0;
          let mostOpen = 0;
          const session = {
            current: {
              extents,
              daemon: {
                host: 'host',
                async open(start: number, end: number) {
                  open += 1;
                  mostOpen = Math.max(mostOpen, open);
                  let position = start;
                  let isOpen = true;
                  const close = (): void => {
                    open -= isOpen ? 1 : 0;
                    isOpen = false;
                  };
                  await turn();
                  return {
                    async read(memory: Buffer) {
                      await turn();
                      cut();
                      const length = Math.min(memory.length, end - position);
                      for (let at = 0; at < length; at += KIBIBYTE) memory[at] = byteAt(position + at);
                      position += length;
                      if (position === end) close();
                      return length;
                    },
                    destroy: close,
                  };
                },
              },
            },
          } as unknown as TransferSession;
          const { signal } = new AbortController();
          const patience = { giveUpAfter: 60_000, firstDelay: 0, longestDelay: 0 };
          const context = { session, progress: new Progress(), patience, signal, onRead: () => {} };
          const segments = new Segments(context, most);
          const pieces = piecesOf(
            extents,
            Math.floor(share * (extents.size / KIBIBYTE)) * KIBIBYTE,
            kibibytes * KIBIBYTE,
          );
          const readAll = async (): Promise<void> => {
            for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
              const into = Buffer.alloc(piece.length);
              await segments.read(piece.offset, into);
              for (let at = 0; at < into.length; at += KIBIBYTE) {
                if (into[at] !== byteAt(piece.offset + at)) throw new Error(`wrong at ${piece.offset + at}`);
              }
            }
          };
          await Promise.all(Array.from({ length: Math.max(1, Math.floor(most / 2)) }, readAll));
          expect(mostOpen).to.be.at.most(most);
          expect(open).to.equal(0);
        },
      ),
      { numRuns: 40 },
    );
  });
});

function piecesOf(extents: ExtentMap, from: number, longest: number): { offset: number; length: number }[] {
  return [...extents.from(from)].flatMap(({ offset, length, content }) =>
    content !== 'data'
      ? []
      : Array.from({ length: Math.ceil(length / longest) }, (_, index) => ({
          offset: offset + index * longest,
          length: Math.min(longest, length - index * longest),
        })),
  );
}
