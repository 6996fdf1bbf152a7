import { expect } from 'chai';
import type { PersistentVolumeClaim } from '../../../../src/kube/builtin-resources.ts';
import type { UploadTokenClaims } from '../../../../src/protocol/upload-token.ts';
import { Refusal } from '../../../../src/services/uploadproxy/refusal.ts';
import { writtenClaimOf } from '../../../../src/services/uploadproxy/upload-target.ts';

const token: UploadTokenClaims = {
  operation: 'Upload',
  name: 'disk',
  namespace: 'team',
  uid: 'u1',
  resource: { group: '', version: 'v1', resource: 'persistentvolumeclaims' },
};

const prefix = 'cdi.kubevirt.io/';

function claim(
  annotations: Record<string, string>,
  rest: Pick<PersistentVolumeClaim, 'spec' | 'status'> = {},
  uid = 'u1',
): PersistentVolumeClaim {
  const prefixed = Object.entries(annotations).map(([name, value]): [string, string] => [`${prefix}${name}`, value]);
  return { metadata: { name: 'disk', namespace: 'team', uid, annotations: Object.fromEntries(prefixed) }, ...rest };
}

const populated = { spec: { dataSourceRef: { apiGroup: 'cdi.kubevirt.io', kind: 'VolumeUploadSource', name: 'x' } } };

function refusal(found: PersistentVolumeClaim | undefined): Refusal {
  try {
    writtenClaimOf(found, token);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('the claim that an upload is written to', () => {
  it('is the claim itself where it is an upload target', () => {
    expect(writtenClaimOf(claim({ 'storage.upload.target': '' }), token)).to.deep.equal({
      namespace: 'team',
      name: 'disk',
    });
  });

  it('is the working claim where it is populated', () => {
    expect(writtenClaimOf(claim({}, populated), token)).to.deep.equal({ namespace: 'team', name: 'prime-u1' });
  });

  it('is none where the claim is gone, or another one has its name', () => {
    expect(refusal(undefined)).to.include({ status: 404 });
    expect(refusal(claim({ 'storage.upload.target': '' }, {}, 'u2'))).to.include({ status: 403 });
  });

  it('is none where nothing is uploaded into the claim', () => {
    expect(refusal(claim({}))).to.include({ status: 400 });
    const imported = { spec: { dataSourceRef: { ...populated.spec.dataSourceRef, kind: 'VolumeImportSource' } } };
    expect(refusal(claim({}, imported))).to.include({ status: 400 });
    const foreign = { spec: { dataSourceRef: { ...populated.spec.dataSourceRef, apiGroup: 'other.example' } } };
    expect(refusal(claim({}, foreign))).to.include({ status: 400 });
  });

  it('is none once the upload is over', () => {
    const done = [
      claim({ 'storage.upload.target': '', 'storage.pod.phase': 'Succeeded' }),
      claim({ 'storage.pod.phase': 'Succeeded' }, populated),
      claim({}, { ...populated, status: { phase: 'Bound' } }),
    ];
    for (const each of done) expect(refusal(each)).to.include({ status: 409 });
    const failed = claim({
      'storage.upload.target': '',
      'storage.pod.phase': 'Failed',
      'storage.condition.running.message': 'it is no image',
    });
    expect(refusal(failed)).to.include({ status: 409 });
    expect(refusal(failed).message).to.contain('it is no image');
  });

  it('is there while its pod is being replaced', () => {
    expect(writtenClaimOf(claim({ 'storage.upload.target': '', 'storage.pod.phase': 'Pending' }), token).name).to.equal(
      'disk',
    );
  });
});
