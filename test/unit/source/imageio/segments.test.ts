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

  it('hold what the disk holds, over a connection each, whatever is cut', async () => {
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
          const segments = new Segments(context);
          const from = Math.floor(share * (extents.size / KIBIBYTE)) * KIBIBYTE;
          const runs = [...extents.from(from)].filter(({ content }) => content === 'data');
          const readAll = async (): Promise<void> => {
            for (let run = runs.shift(); run !== undefined; run = runs.shift()) {
              const end = Math.min(run.offset + run.length, run.offset + segments.length);
              const left = run.offset + run.length - end;
              if (left > 0) runs.unshift({ ...run, offset: end, length: left });
              for (let { offset } = run; offset < end;) {
                const into = Buffer.alloc(Math.min(kibibytes * KIBIBYTE, end - offset));
                await segments.read(offset, into, end);
                for (let at = 0; at < into.length; at += KIBIBYTE) {
                  if (into[at] !== byteAt(offset + at)) throw new Error(`wrong at ${offset + at}`);
                }
                offset += into.length;
              }
            }
          };
          await Promise.all(Array.from({ length: most }, readAll));
          expect(mostOpen).to.be.at.most(most);
          expect(open).to.equal(0);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('begin with a request of their own where the one before has just ended', async () => {
    const asked: number[] = [];
    const open = async (start: number, end: number) => {
      asked.push(start);
      let left = end - start;
      const read = (memory: Buffer): Promise<number> => {
        const length = Math.min(memory.length, left);
        left -= length;
        return Promise.resolve(length);
      };
      return Promise.resolve({ read, destroy: () => undefined });
    };
    let next: Promise<void> | undefined;
    const segments: Segments = new Segments({
      session: { current: { daemon: { host: 'host', open } } } as unknown as TransferSession,
      progress: new Progress(),
      patience: { giveUpAfter: 1000, firstDelay: 0, longestDelay: 0 },
      signal: new AbortController().signal,
      onRead: () => {
        next ??= segments.read(KIBIBYTE, Buffer.alloc(KIBIBYTE), 2 * KIBIBYTE);
      },
    });
    await segments.read(0, Buffer.alloc(KIBIBYTE), KIBIBYTE);
    await next;
    expect(asked).to.deep.equal([0, KIBIBYTE]);
  });
});
