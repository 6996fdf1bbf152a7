import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { Authority } from '../../cluster/pki.ts';

describe('the authority of a test cluster', () => {
  it('issues certificates that OpenSSL finds the authority of', async () => {
    const authority = await Authority.create('front-proxy-authority');
    const { certificate } = await authority.issue({ commonName: 'front-proxy' });
    const issued = new X509Certificate(certificate);
    expect(issued.checkIssued(new X509Certificate(authority.certificate))).to.equal(true);
    expect(issued.checkIssued(issued)).to.equal(false);
  });

  it('gives nobody its own name', async () => {
    const authority = await Authority.create('front-proxy');
    const failure: unknown = await authority.issue({ commonName: 'front-proxy' }).catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(RangeError).with.property('message').that.includes('front-proxy');
  });
});
