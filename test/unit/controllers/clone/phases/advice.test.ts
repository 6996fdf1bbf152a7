import { expect } from 'chai';
import { withAdvice } from '../../../../../src/controllers/clone/phases/advice.ts';
import type { CloneWork } from '../../../../../src/controllers/clone/phases/phase.ts';

const work = (cloneType: CloneWork['plan']['cloneType']) =>
  ({ plan: { cloneType }, target: { spec: { storageClassName: 'fast' } } }) as CloneWork;

describe("a complaint of the storage's", () => {
  it('is told with the way around it', () => {
    expect(withAdvice('no snapshots here', work('snapshot'))).to.match(/^no snapshots here; .*StorageProfile "fast"/);
  });

  it('is told alone where a copy is what was wanted', () => {
    expect(withAdvice('no such volume', work('copy'))).to.equal('no such volume');
  });

  it('only needs patience where there is no room', () => {
    expect(withAdvice('code = ResourceExhausted', work('csi-clone'))).to.match(/goes on when there is room$/);
  });
});
