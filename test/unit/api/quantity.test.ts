import { expect } from 'chai';
import fc from 'fast-check';
import { toClaimSpec } from '../../../src/api/persistent-volume-claim-spec.ts';
import { parseQuantity, quantity } from '../../../src/api/quantity.ts';

describe('parseQuantity', () => {
  for (const [text, bytes] of [
    ['0', 0],
    ['1Gi', 2 ** 30],
    ['10240Mi', 10 * 2 ** 30],
    ['1.5Ki', 1536],
    ['.5k', 500],
    ['1G', 1e9],
    ['1e3', 1000],
    ['1E', 1e18],
    ['1500m', 2],
    ['-1Ki', -1024],
    [4096, 4096],
  ] as const)
    it(`reads ${text} as ${bytes}`, () => {
      expect(parseQuantity(text)).to.equal(bytes);
    });

  for (const text of ['', '1GB', '1 Gi', 'Gi', '1.2.3', '0x10', 'NaN'])
    it(`refuses ${JSON.stringify(text)}, as the schema does`, () => {
      expect(() => parseQuantity(text)).to.throw(RangeError, 'not a quantity');
      expect(quantity.safeParse(text).success).to.equal(false);
    });

  it('reads every whole number of bytes as itself', () => {
    fc.assert(
      fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (bytes) => {
        expect(parseQuantity(String(bytes))).to.equal(bytes);
      }),
    );
  });
});

describe('toClaimSpec', () => {
  it('writes quantities as strings and leaves the rest as it is', () => {
    expect(
      toClaimSpec({ accessModes: ['ReadWriteOnce'], storageClassName: '', resources: { requests: { storage: 1024 } } }),
    ).to.deep.equal({
      accessModes: ['ReadWriteOnce'],
      storageClassName: '',
      resources: { requests: { storage: '1024' } },
    });
    expect(toClaimSpec({ volumeName: 'a' })).to.deep.equal({ volumeName: 'a' });
  });
});
