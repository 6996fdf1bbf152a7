import { expect } from 'chai';
import fc from 'fast-check';
import { asTransferError, TransferError } from '../../../src/base/errors.ts';
import { printableText } from '../../../src/base/printable.ts';
import { describeUrl } from '../../../src/source/http/location.ts';

describe('text from outside', () => {
  it('is left as it is where it is harmless', () => {
    for (const text of ['', 'https://example.org/a%20b', 'größer als 7 µs – „so“', '磁盘 💾']) {
      expect(printableText(text, 100)).to.equal(text);
    }
  });

  it('neither moves a cursor nor begins a line nor is longer than it may be', () => {
    expect(printableText('a\n b\x1b[31m\u202e\0', 100)).to.equal('a b?[31m??');
    expect(printableText('abcdef', 4)).to.equal('abc…');
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.integer({ min: 1, max: 200 }), (text, longest) => {
        const shown = printableText(text, longest);
        expect(shown.length).to.be.at.most(longest);
        expect(shown).not.to.match(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      }),
    );
  });

  it('becomes so in every failure, and in URLs', () => {
    expect(new TransferError('NotFound', `no image for ${'\x1b[2J'}`).message).to.equal('no image for ?[2J');
    expect(asTransferError(new Error('\x07'.repeat(100_000))).message).to.have.length(2000);
    expect(describeUrl(new URL(`https://example.org/${'x'.repeat(5000)}`))).to.have.length.below(1100);
  });
});
