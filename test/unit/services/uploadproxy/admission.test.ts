import { expect } from 'chai';
import { MAXIMUM_UPLOADS, MAXIMUM_UPLOADS_PER_CLAIM, Uploads } from '../../../../src/services/uploadproxy/admission.ts';
import { Refusal } from '../../../../src/services/uploadproxy/refusal.ts';

describe('uploads at a time', () => {
  it('are limited for each claim, and all together', () => {
    const uploads = new Uploads();
    const releases = Array.from({ length: MAXIMUM_UPLOADS_PER_CLAIM }, () => uploads.admit('one'));
    expect(() => uploads.admit('one'))
      .to.throw(Refusal)
      .with.property('status', 503);
    for (let index = releases.length; index < MAXIMUM_UPLOADS; index++) releases.push(uploads.admit(String(index)));
    expect(() => uploads.admit('another'))
      .to.throw(Refusal)
      .with.property('status', 503);
    expect(uploads.count).to.equal(MAXIMUM_UPLOADS);
    for (const release of releases) release();
    expect(uploads.count).to.equal(0);
    uploads.admit('one');
  });
});
