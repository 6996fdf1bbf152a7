import { expect } from 'chai';
import { gcsObjectUrl } from '../../../../src/source/object-storage/gcs-location.ts';
import { s3ObjectUrl } from '../../../../src/source/object-storage/s3-location.ts';

describe('where objects are', () => {
  it('is in virtual-host style at Amazon’s, as far as its certificates allow', () => {
    const place = { region: 'eu-west-1' };
    expect(s3ObjectUrl('s3://bucket/a b/c', place).href).to.equal('https://bucket.s3.eu-west-1.amazonaws.com/a%20b/c');
    expect(s3ObjectUrl('s3://my.bucket/c', {}).href).to.equal('https://s3.us-east-1.amazonaws.com/my.bucket/c');
  });

  it('is in path style at another endpoint', () => {
    const endpoint = 'http://minio:9000/';
    expect(s3ObjectUrl('s3://bucket/a?b', { endpoint }).href).to.equal('http://minio:9000/bucket/a%3Fb');
  });

  it('is at Google’s XML API', () => {
    expect(gcsObjectUrl('gs://bucket/a b/c').href).to.equal('https://storage.googleapis.com/bucket/a%20b/c');
    expect(gcsObjectUrl('https://storage.cloud.google.com/bucket/c').href).to.equal(
      'https://storage.googleapis.com/bucket/c',
    );
    expect(gcsObjectUrl('gs://bucket/c', 'http://emulator:4443').href).to.equal('http://emulator:4443/bucket/c');
  });

  it('is refused without a bucket or an object', () => {
    for (const wrong of ['s3://bucket', 's3:///key', 's3://bucket/'])
      expect(() => s3ObjectUrl(wrong, {})).to.throw(/s3:/);
    for (const wrong of ['gs://bucket', 'gs:///key']) expect(() => gcsObjectUrl(wrong)).to.throw(/gs:/);
  });
});
