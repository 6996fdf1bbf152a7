import { expect } from 'chai';
import fc from 'fast-check';
import { PassedBytes } from '../../../../../src/image/formats/mapped/passed-bytes.ts';

const KIBIBYTE = 1024;

describe('what a pass over an image keeps of what it has gone past', () => {
  const file = Buffer.from(Uint8Array.from({ length: 400 * KIBIBYTE }, (_, at) => at % 251));

  it('is what was kept and not dropped, up to the next gap', () => {
    const kept = fc.array(fc.record({ gap: fc.nat(600), length: fc.integer({ min: 1, max: 70 * KIBIBYTE }) }), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(kept, fc.nat(file.length), fc.nat(file.length), fc.nat(5000), (parts, dropped, offset, length) => {
        const passed = new PassedBytes();
        const isKept = Buffer.alloc(file.length);
        let at = 0;
        for (const { gap, length: wanted } of parts) {
          const start = Math.min(file.length, at + gap);
          at = Math.min(file.length, start + wanted);
          passed.keep(start, file.subarray(start, at));
          isKept.fill(1, start, at);
        }
        passed.dropBefore(dropped);
        const from = Math.max(dropped, offset);
        const gapAt = isKept.indexOf(0, from);
        const end = Math.min(from + length, gapAt < 0 ? file.length : gapAt);
        expect(passed.from(from, length).equals(file.subarray(from, Math.max(from, end)))).to.equal(true);
      }),
    );
  });

  it('takes little more memory than it has, also where it comes byte by byte', () => {
    const passed = new PassedBytes();
    const before = process.memoryUsage();
    const bytes = 2 * 1024 * KIBIBYTE;
    for (let at = 0; at < bytes; at++) passed.keep(at, file.subarray(at % 251, (at % 251) + 1));
    const after = process.memoryUsage();
    expect(passed.from(0, bytes).length).to.equal(bytes);
    expect(after.external + after.heapUsed - before.external - before.heapUsed).to.be.below(60 * 1024 * KIBIBYTE);
  });
});
