import { expect } from 'chai';
import { RandomAccessNeeded } from '../../../../src/base/errors.ts';
import { decodeRanges } from '../../../../src/image/formats/decode.ts';
import { driverOf, drivers, formatNamed, formatNames } from '../../../../src/image/formats/drivers.ts';
import { HEAD_LENGTH, recogniseFormat } from '../../../../src/image/formats/recognise.ts';
import { decodeStream, failureOf, rangesOf } from './mapped-disks.ts';

describe('the table of disk formats', () => {
  it('has one driver of each name, and tells by it and by the name that qemu-img has', () => {
    for (const driver of drivers) {
      expect(driverOf(driver.name)).to.equal(driver);
      expect(formatNamed(driver.name)).to.equal(driver.name);
      expect(formatNamed(driver.qemuName)).to.equal(driver.name);
    }
    expect(formatNames).to.include.members(['raw', 'vhd', 'vpc']);
    expect(formatNamed('vmware')).to.equal(undefined);
  });

  for (const { name, signature, selfContained, describe: details } of drivers) {
    it(`tells ${name} by its signature, though another one's begins alike`, () => {
      const head = Buffer.alloc(HEAD_LENGTH);
      signature?.bytes.copy(head, signature.offset);
      expect(recogniseFormat(head, HEAD_LENGTH, 'x')).to.equal(name);
    });

    it(`describes and checks of ${name} whatever there is of a head`, async () => {
      for (const length of [0, 8, 64, 511]) {
        const head = Buffer.alloc(length);
        if (signature !== undefined && length > signature.offset) signature.bytes.copy(head, signature.offset);
        for (const look of [
          () => details({ head, size: length, ranges: undefined }),
          () => selfContained?.check(head),
        ]) {
          const failure = await failureOf((async () => look())());
          if (failure instanceof Error) expect(failure).to.have.property('code').that.is.oneOf(refusals);
        }
      }
    });
  }

  it('leaves to qemu-img what has no decoder of its own', async () => {
    const foreign = drivers.filter(({ open, decode }) => open === undefined && decode === undefined);
    expect(foreign.map(({ name }) => name)).to.deep.equal(['qed']);
    for (const { name } of foreign) {
      expect(await failureOf(decodeStream(name, Buffer.alloc(512)))).to.be.instanceOf(RandomAccessNeeded);
      expect(await decodeRanges(name, rangesOf(Buffer.alloc(512)))).to.equal(undefined);
    }
  });
});

const refusals = ['InvalidImage', 'TruncatedImage', 'UnsupportedImage'];
