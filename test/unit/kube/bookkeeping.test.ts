import { expect } from 'chai';
import { dropBookkeeping } from '../../../src/kube/bookkeeping.ts';

describe('what the API server and kubectl keep in an object for themselves', () => {
  it('is dropped, and nothing else', () => {
    const object = {
      kind: 'ConfigMap',
      metadata: {
        name: 'one',
        managedFields: [{ manager: 'kubectl' }],
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', kept: 'yes' },
        labels: { app: 'example' },
      },
    };
    expect(dropBookkeeping(object)).to.deep.equal({
      kind: 'ConfigMap',
      metadata: { name: 'one', annotations: { kept: 'yes' }, labels: { app: 'example' } },
    });
  });

  it('need not be there', () => {
    expect(dropBookkeeping({ metadata: { name: 'one' } })).to.deep.equal({ metadata: { name: 'one' } });
    expect(dropBookkeeping({})).to.deep.equal({});
  });
});
