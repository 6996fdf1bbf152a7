import { expect } from 'chai';
import fc from 'fast-check';
import { deviceForVolume, diskOfVolume, largestDisk, volumeForDisk } from '../../../src/base/filesystem-sizes.ts';
import { spaceOf } from '../../../src/sink/volume-space.ts';

const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;

/** Around the sizes that people ask for, and whatever else; of the largest, a number still tells parts of a byte. */
const bytes = fc.oneof(
  fc.integer({ min: 1, max: 2 ** 46 }),
  fc
    .tuple(
      fc.constantFrom(512, 4096, 1e6, 1e9, MEBIBYTE, GIBIBYTE, 10 * GIBIBYTE, 2 ** 40),
      fc.integer({ min: 1, max: 64 }),
      fc.integer({ min: -4097, max: 4097 }),
    )
    .map(([unit, times, off]) => Math.max(1, unit * times + off)),
);
/** As people write them, in at most three decimals. */
const overhead = fc.integer({ min: 0, max: 999 }).map((thousandths) => thousandths / 1000);

const law = (what: string, holds: (size: number, share: number) => void) =>
  it(what, () => fc.assert(fc.property(bytes, overhead, holds), { numRuns: 2000 }));

describe('sizes on filesystems', () => {
  law('a disk of the size that was asked for fits on its volume', (disk, share) => {
    expect(largestDisk(volumeForDisk(disk, share), share)).to.be.at.least(disk);
    expect(diskOfVolume(volumeForDisk(disk, share), share)).to.be.at.least(disk);
  });

  law('a volume is not larger than its disk needs it, but for whole MiB', (disk, share) => {
    const volume = volumeForDisk(disk, share);
    expect(volume % MEBIBYTE).to.equal(0);
    expect(volume).to.be.at.least(disk * (1 + share));
    expect(volume).to.be.at.most((disk + MEBIBYTE) * (1 + share) + MEBIBYTE);
    expect(diskOfVolume(volume, share)).to.be.at.most(disk + 2 * MEBIBYTE);
  });

  law('a disk and its overhead are not larger than their volume', (volume, share) => {
    const largest = largestDisk(volume, share);
    expect(diskOfVolume(volume, share)).to.be.at.most(largest);
    expect(diskOfVolume(volume, share) % MEBIBYTE).to.equal(0);
    expect(largest - diskOfVolume(volume, share)).to.be.below(MEBIBYTE);
    // Less than a byte, by which whole MiB are found again.
    expect(largest * (1 + share)).to.be.at.most(volume + 1);
  });

  law(
    'the volume for the disk of a volume is that one or smaller, but for a MiB by rounding, and has the same disk',
    (volume, share) => {
      const whole = Math.ceil(volume / MEBIBYTE) * MEBIBYTE;
      const disk = diskOfVolume(whole, share);
      expect(volumeForDisk(disk, share)).to.be.at.most(whole + MEBIBYTE);
      expect(diskOfVolume(volumeForDisk(disk, share), share)).to.equal(disk);
    },
  );

  law('a device for a volume takes every disk on it, and is less than a MiB larger', (volume, share) => {
    const device = deviceForVolume(volume, share);
    expect(device).to.be.at.least(largestDisk(volume, share));
    expect(device - largestDisk(volume, share)).to.be.below(MEBIBYTE);
  });

  it('more is never less', () => {
    fc.assert(
      fc.property(bytes, bytes, overhead, overhead, (left, right, oneShare, otherShare) => {
        const [less, more] = left < right ? [left, right] : [right, left];
        const [low, high] = oneShare < otherShare ? [oneShare, otherShare] : [otherShare, oneShare];
        for (const size of [volumeForDisk, diskOfVolume, largestDisk, deviceForVolume]) {
          expect(size(more, low), size.name).to.be.at.least(size(less, low));
        }
        expect(volumeForDisk(less, high)).to.be.at.least(volumeForDisk(less, low));
        expect(largestDisk(less, high)).to.be.at.most(largestDisk(less, low));
      }),
    );
  });

  it('without an overhead everything is as large as what it is for', () => {
    fc.assert(
      fc.property(bytes, (size) => {
        expect(largestDisk(size, 0)).to.equal(size);
        expect(volumeForDisk(size, 0)).to.be.within(size, size + MEBIBYTE - 1);
      }),
    );
  });

  it('are those of the published formula', () => {
    expect(volumeForDisk(100 * MEBIBYTE, 0.5)).to.equal(150 * MEBIBYTE);
    expect(volumeForDisk(GIBIBYTE, 0.06)).to.equal(1086 * MEBIBYTE);
  });

  describe('that are really there', () => {
    const free = fc.integer({ min: 0, max: 2 ** 50 });

    it('limit a disk as well as what was asked for does, and say who has taken the rest', () => {
      fc.assert(
        fc.property(bytes, overhead, free, fc.boolean(), (capacity, share, there, overheadIsReserve) => {
          const request = { capacity, filesystemOverhead: share };
          const { largest, usable, taken } = spaceOf(request, there, { overheadIsReserve });
          const allowed = overheadIsReserve ? capacity : largestDisk(capacity, share);
          expect(largest).to.equal(Math.min(allowed, there));
          expect(usable).to.be.at.most(largest);
          expect(usable % MEBIBYTE).to.equal(0);
          expect(taken).to.equal(there < allowed ? capacity - there : 0);
        }),
      );
    });

    it('count what the disk has already', () => {
      fc.assert(
        fc.property(bytes, overhead, free, free, (capacity, filesystemOverhead, left, used) => {
          const request = { capacity, filesystemOverhead };
          expect(spaceOf(request, left, { used })).to.deep.equal(spaceOf(request, left + used));
        }),
      );
    });
  });
});
