import { expect } from 'chai';
import { ApiError } from '../../../src/kube/errors.ts';
import { asTestFailure, jsonPointer } from '../../../src/kube/json-patch.ts';

describe('JSON patches', () => {
  it('name fields by JSON pointers', () => {
    expect(jsonPointer('metadata', 'annotations', 'example.org/a~b')).to.equal(
      '/metadata/annotations/example.org~1a~0b',
    );
  });

  it('whose test fails are a conflict, and ones that make an object invalid are not', () => {
    const failed = new ApiError({ code: 422, message: 'testing value /metadata/uid failed: test failed', details: {} });
    expect(asTestFailure(failed)).to.include({ status: 409, message: failed.message });
    const causes = [{ field: 'spec.claimRef', message: 'is immutable' }];
    expect(asTestFailure(new ApiError({ code: 422, details: { causes } }))).to.equal(undefined);
    expect(asTestFailure(new ApiError({ code: 404 }))).to.equal(undefined);
    expect(asTestFailure(new Error('broken'))).to.equal(undefined);
  });
});
