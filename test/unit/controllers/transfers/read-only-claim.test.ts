import { expect } from 'chai';
import { explainReadOnly } from '../../../../src/controllers/transfers/read-only-claim.ts';
import { failedReport } from '../../../../src/controllers/transfers/transfer-report.ts';

const claim = (...accessModes: string[]) => ({ spec: { accessModes } });
const failed = (reason: string) => failedReport(0, { reason, message: 'cannot write /data/disk.img (EROFS)' });

describe('a claim that cannot be written', () => {
  it('is told as ReadOnlyMany where it is, with what to do', () => {
    const { message, podPhase } = explainReadOnly(failed('TargetNotWritable'), claim('ReadOnlyMany'));
    expect(message).to.match(/^The claim is ReadOnlyMany: .*\(EROFS\).*Ask for ReadWriteOnce.*or clone a claim/);
    expect(podPhase).to.equal('Failed');
  });

  it('is told as ReadOnlyMany where that is the mode that it is mounted with', () => {
    const { message } = explainReadOnly(failed('TargetNotWritable'), claim('ReadOnlyMany', 'ReadWriteOnce'));
    expect(message).to.match(/^The claim's first access mode is ReadOnlyMany/);
  });

  it('is told as it is where it has another mode, or fails otherwise', () => {
    for (const [reason, ...modes] of [
      ['TargetNotWritable', 'ReadWriteOnce'],
      ['TargetNotWritable', 'ReadWriteOnce', 'ReadOnlyMany'],
      ['TargetNotWritable'],
      ['NoSpace', 'ReadOnlyMany'],
    ] as const) {
      expect(explainReadOnly(failed(reason), claim(...modes))).to.deep.equal(failed(reason));
    }
  });
});
