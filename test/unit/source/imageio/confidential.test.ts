import { expect } from 'chai';
import { TransferError } from '../../../../src/base/errors.ts';
import { Confidential } from '../../../../src/source/imageio/confidential.ts';

describe('what must not appear in messages of oVirt', () => {
  const url = new URL('https://host:54322/images/ticket-1');
  const confidential = new Confidential();
  confidential.add('');
  confidential.add('ticket-1');

  it('does not', () => {
    const { code, message, permanent } = confidential.failure(
      Object.assign(new Error(), { code: 'ECONNREFUSED' }),
      url,
    );
    expect({ code, permanent }).to.deep.equal({ code: 'ConnectionRefused', permanent: false });
    expect(message).to.include('https://host:54322/images/…').and.not.to.include('ticket-1');
  });

  it('leaves other failures as they are', () => {
    const failure = new TransferError('NotFound', 'no such disk');
    expect(confidential.failure(failure, url)).to.equal(failure);
  });
});
