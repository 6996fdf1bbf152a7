import { expect } from 'chai';
import { PULLED_IMAGE_CONTAINER, pullRefusal } from '../../../../src/controllers/transfers/pull-refusal.ts';

const IMAGE = '"registry.example/golden/disk:v1"';
const refused = (message: string, reason = 'ErrImagePull') =>
  pullRefusal(PULLED_IMAGE_CONTAINER, { reason, message })?.reason;
const unpacking = `failed to pull and unpack image ${IMAGE}: failed to resolve reference ${IMAGE}:`;

describe('what the kubelet says of an image that it cannot pull', () => {
  const final = {
    Unauthorized: [
      `${unpacking} pulling from host registry.example failed with status code [manifests v1]: 401 Unauthorized`,
      `failed to pull image ${IMAGE}: ${unpacking} unexpected status from HEAD request to https://registry.example/v2/golden/disk/manifests/v1: 401 Unauthorized`,
      `rpc error: code = Unknown desc = ${unpacking} pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
      'reading manifest v1 in registry.example/golden/disk: unauthorized: access to the requested resource is not authorized',
      'reading manifest v1 in docker.io/golden/disk: requested access to the resource is denied',
    ],
    NotFound: [
      `rpc error: code = NotFound desc = ${unpacking} registry.example/golden/disk:v1: not found`,
      'reading manifest v1 in registry.example/golden/disk: manifest unknown',
    ],
    PlatformNotFound: [
      `rpc error: code = NotFound desc = failed to pull and unpack image ${IMAGE}: no match for platform in manifest: not found`,
    ],
    InvalidUrl: ['failed to parse image reference "A:B": invalid reference format'],
  };
  for (const [reason, messages] of Object.entries(final)) {
    it(`is final where it is ${reason}, also while it waits to try again`, () => {
      for (const message of messages) {
        expect(refused(message), message).to.equal(reason);
        expect(refused(`Back-off pulling image ${IMAGE}: ErrImagePull: ${message}`, 'ImagePullBackOff')).to.equal(
          reason,
        );
      }
    });
  }

  it('is final for a name that no image can have', () => {
    const message = `Failed to apply default image tag "r/No:1": couldn't parse image name "r/No:1": invalid reference format: repository name (No) must be lowercase`;
    expect(refused(message, 'InvalidImageName')).to.equal('InvalidUrl');
    expect(refused('', 'InvalidImageName')).to.equal('InvalidUrl');
  });

  it('may pass where the network or the registry fails, whatever the image is called', () => {
    const messages = [
      'failed to resolve reference "127.0.0.1:1/none:1": failed to do request: Head "http://127.0.0.1:1/v2/none/manifests/1": dial tcp 127.0.0.1:1: connect: connection refused',
      `${unpacking} failed to do request: Head "https://registry.example/v2/unauthorized/manifests/v1": dial tcp 192.0.2.1:443: i/o timeout`,
      `${unpacking} unexpected status from HEAD request to https://registry.example/v2/a/manifests/v1: 503 Service Unavailable`,
      `${unpacking} toomanyrequests: You have reached your unauthenticated pull rate limit`,
      'failed to resolve reference "registry.example/denied: not found:v1": dial tcp: lookup registry.example: server misbehaving',
      `Back-off pulling image ${IMAGE}`,
      '',
    ];
    for (const message of messages) expect(refused(message), message).to.equal(undefined);
  });

  it('has no end for another container: an administrator gives the image of Diskpress', () => {
    expect(pullRefusal('importer', { reason: 'ErrImagePull', message: 'manifest unknown' })).to.equal(undefined);
    expect(refused('manifest unknown', 'CrashLoopBackOff')).to.equal(undefined);
  });

  it('is passed on in its words, on one line of limited length, with what to do', () => {
    const waiting = { reason: 'ErrImagePull', message: `manifest unknown\n\u001b[31m${'x'.repeat(5000)}` };
    const { message = '' } = pullRefusal(PULLED_IMAGE_CONTAINER, waiting) ?? {};
    expect(message).to.match(
      /^The node cannot pull the image: manifest unknown \?\[31mx+…; check the name and the tag/,
    );
    expect(message.length).to.be.below(1200);
  });
});
