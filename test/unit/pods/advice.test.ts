import { expect } from 'chai';
import { advised, TransferError } from '../../../src/base/errors.ts';
import { advice as ofTheCommandLine } from '../../../src/cli/advice.ts';
import { advice as ofPods } from '../../../src/protocol/advice.ts';

describe('what to do about a failure', () => {
  const failure = new TransferError('Unauthorized', 'https://images/disk answered 401', {
    remedy: 'give-s3-credentials',
  });

  it('is said in the words of whoever runs the transfer', () => {
    expect(advised(failure, ofPods).message).to.equal(
      'https://images/disk answered 401: check accessKeyId and secretKey of the Secret in secretRef',
    );
    expect(advised(failure, ofTheCommandLine).message).to.equal(
      'https://images/disk answered 401: check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    );
  });

  it('changes nothing else of it, and nothing where there is no more to say', () => {
    expect(advised(failure, ofPods)).to.include({ code: 'Unauthorized', permanent: true, cause: failure });
    const plain = new TransferError('NotFound', 'https://images/disk answered 404');
    expect(advised(plain, ofPods)).to.equal(plain);
  });
});
