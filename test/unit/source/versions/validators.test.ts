import { expect } from 'chai';
import fc from 'fast-check';
import { conditionOf, digestOf, validatorsOf } from '../../../../src/source/versions/validators.ts';

const DATE = 'Mon, 30 Nov 2026 02:00:00 GMT';
const elsewhere = { place: { isAtFirstOrigin: false } } as Parameters<typeof validatorsOf>[0];
const digestFor = (headers: Record<string, string>, more: object = {}): string | undefined => {
  const validators = validatorsOf({ headers, place: undefined, ...more });
  return validators && digestOf(validators);
};

describe('the digest of an object that has no manifest', () => {
  const text = fc.stringMatching(/^[\x21\x23-\x7e]{1,40}$/);

  it('is the same for the same ETag, whatever else is told, and another one for another ETag', () => {
    fc.assert(
      fc.property(text, text, fc.nat(), (one, other, size) => {
        const etag = `"${one}"`;
        const digest = digestFor({ etag, 'last-modified': DATE, 'content-length': String(size) });
        expect(digest).to.match(/^sha256:[0-9a-f]{64}$/);
        expect(digestFor({ etag })).to.equal(digest);
        if (other !== one) expect(digestFor({ etag: `"${other}"` })).to.not.equal(digest);
      }),
    );
  });

  it('stays when a weak ETag becomes strong, as it does once the file is older than a second', () => {
    expect(digestFor({ etag: 'W/"5f-1"' })).to.equal(digestFor({ etag: '"5f-1"' }));
  });

  it('is made of date and size where there is no ETag, and of both', () => {
    const digest = digestFor({ 'last-modified': DATE, 'content-length': '7' });
    expect(digest).to.match(/^sha256:/);
    expect(digestFor({ 'last-modified': DATE, 'content-range': 'bytes 0-0/7' })).to.equal(digest);
    expect(digestFor({ 'last-modified': DATE, 'content-length': '8' })).to.not.equal(digest);
    expect(digestFor({ 'last-modified': 'Mon, 30 Nov 2026 02:00:01 GMT', 'content-length': '7' })).to.not.equal(digest);
  });

  it('is made of date and size at another host than the one that was asked: each mirror has ETags of its own', () => {
    const dated = { 'last-modified': DATE, 'content-length': '7' };
    expect(digestFor({ ...dated, etag: '"a"' }, elsewhere)).to.equal(digestFor({ ...dated, etag: '"b"' }, elsewhere));
    expect(digestFor({ etag: '"a"' }, elsewhere)).to.equal(digestFor({ etag: '"a"' }));
  });

  it('is that of a generation or a version of a bucket where there is one', () => {
    expect(digestFor({ 'x-goog-generation': '17', etag: '"a"' })).to.equal(digestFor({ 'x-goog-generation': '17' }));
    expect(digestFor({ 'x-amz-version-id': 'v1' })).to.not.equal(digestFor({ 'x-amz-version-id': 'v2' }));
    expect(digestFor({ 'x-amz-version-id': 'null' })).to.equal(undefined);
  });

  it('does not take one kind for another', () => {
    const all = [{ etag: '17' }, { 'x-goog-generation': '17' }, { 'x-amz-version-id': '17' }].map((each) =>
      digestFor(each as unknown as Record<string, string>),
    );
    expect(new Set(all).size).to.equal(3);
  });

  it('is not made of a size alone, of what cannot be sent again, or of endless text', () => {
    expect(digestFor({ 'content-length': '7' })).to.equal(undefined);
    expect(digestFor({ etag: '' })).to.equal(undefined);
    expect(digestFor({ etag: '""' })).to.equal(undefined);
    expect(digestFor({ etag: `"${'x'.repeat(10_000)}"` })).to.equal(undefined);
    expect(digestFor({ 'last-modified': 'yesterday' })).to.equal(undefined);
  });
});

describe('the condition of a request for a newer version', () => {
  it('is the ETag that the digest was made of', () => {
    const validators = { etag: 'W/"a"' };
    expect(conditionOf({ digest: digestOf(validators), validators })).to.deep.equal({ 'if-none-match': 'W/"a"' });
  });

  it('is none where what was kept is not of the digest, or was never sent by a server', () => {
    const digest = digestOf({ etag: '"a"' });
    expect(conditionOf({ digest, validators: { etag: '"b"' } })).to.equal(undefined);
    const planted = { etag: '"a"\r\nX-Admin: yes' };
    expect(conditionOf({ digest: digestOf(planted), validators: planted })).to.equal(undefined);
    expect(conditionOf({ digest })).to.equal(undefined);
    expect(conditionOf(undefined)).to.equal(undefined);
  });

  it('is no date, because a file can be replaced by an older one', () => {
    const validators = { modified: '1', size: '2' };
    expect(conditionOf({ digest: digestOf(validators), validators })).to.equal(undefined);
  });
});
