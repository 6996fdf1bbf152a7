import { expect } from 'chai';
import { credentialsFor } from '../../../../src/source/registry/docker-config.ts';
import { parseImageReference } from '../../../../src/source/registry/reference.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const found = (url: string, auths: object) =>
  credentialsFor(parseImageReference(`docker://${url}`), JSON.stringify({ auths }));

describe('a Docker configuration', () => {
  it('has credentials by host', () => {
    const auths = { 'quay.io': { auth: base64('me:pass:word') }, 'registry:5000': { username: 'you', password: 'x' } };
    expect(found('quay.io/org/disk', auths)).to.deep.equal({ user: 'me', password: 'pass:word' });
    expect(found('registry:5000/disk', auths)).to.deep.equal({ user: 'you', password: 'x' });
    expect(found('other.io/org/disk', auths)).to.equal(undefined);
  });

  it('knows Docker Hub by all of its names', () => {
    for (const name of ['https://index.docker.io/v1/', 'docker.io', 'registry-1.docker.io']) {
      expect(found('fedora', { [name]: { auth: base64('me:x') } })).to.deep.equal({ user: 'me', password: 'x' });
    }
  });

  it('prefers the longest path, and takes no half names', () => {
    const auths = { 'quay.io': { auth: base64('all:x') }, 'quay.io/org': { auth: base64('org:x') } };
    expect(found('quay.io/org/disk', auths)?.user).to.equal('org');
    expect(found('quay.io/organisation/disk', auths)?.user).to.equal('all');
  });

  it('is refused where it is none, without showing it', () => {
    expect(() => credentialsFor(parseImageReference('docker://a'), '{"auths": "secret"}'))
      .to.throw()
      .with.property('message')
      .that.does.not.include('secret');
  });
});
