import { expect } from 'chai';
import {
  MAXIMUM_UPLOADS,
  MAXIMUM_UPLOADS_PER_CLAIM,
  MAXIMUM_UPLOADS_PER_NAMESPACE,
  Uploads,
} from '../../../../src/services/uploadproxy/admission.ts';
import { Refusal } from '../../../../src/services/uploadproxy/refusal.ts';

describe('uploads at a time', () => {
  const claim = (uid: string, namespace = uid) => ({ namespace, uid });
  const refused = (uploads: Uploads, uid: string, namespace?: string) =>
    expect(() => uploads.admit(claim(uid, namespace)))
      .to.throw(Refusal)
      .with.property('status', 503);

  it('are limited for each claim, and all together', () => {
    const uploads = new Uploads();
    const releases = Array.from({ length: MAXIMUM_UPLOADS_PER_CLAIM }, () => uploads.admit(claim('one')));
    refused(uploads, 'one');
    while (releases.length < MAXIMUM_UPLOADS) releases.push(uploads.admit(claim(String(releases.length))));
    refused(uploads, 'another');
    expect(uploads.count).to.equal(MAXIMUM_UPLOADS);
    for (const release of releases) release();
    expect(uploads.count).to.equal(0);
    uploads.admit(claim('one'));
  });

  it('leave room for those of other namespaces, however many claims one has', () => {
    const uploads = new Uploads();
    const releases = Array.from({ length: MAXIMUM_UPLOADS_PER_NAMESPACE }, (_, index) =>
      uploads.admit(claim(String(index), 'greedy')),
    );
    refused(uploads, 'more', 'greedy');
    uploads.admit(claim('other', 'modest'));
    releases[0]?.();
    uploads.admit(claim('more', 'greedy'));
    refused(uploads, 'yet more', 'greedy');
  });
});
