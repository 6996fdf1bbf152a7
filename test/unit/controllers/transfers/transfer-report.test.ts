import { expect } from 'chai';
import { readReport, reportAnnotations, runningReport } from '../../../../src/controllers/transfers/transfer-report.ts';
import type { TransferProgress } from '../../../../src/protocol/transfer-pod.ts';

const progress: TransferProgress = {
  stage: 'converting',
  bytesRead: 1.2 * 2 ** 30,
  bytesSkipped: 0,
  bytesTotal: 4 * 2 ** 30,
  bytesWritten: 0,
  bytesPerSecond: 180 * 2 ** 20,
  percent: 30,
  retries: 0,
  connections: 1,
};

describe('the report of a running transfer', () => {
  it('says how much of how much, how fast, and what it is doing', () => {
    expect(runningReport(undefined, progress, 0)).to.include({
      reason: 'TransferRunning',
      message: '1.2 GiB of 4 GiB, 180 MiB/s, converting',
      progress: '30.00%',
    });
  });

  it('says only what a pod waits for, where it does', () => {
    const stage = 'waiting for an upload: 0 bytes so far';
    expect(runningReport(undefined, { ...progress, stage, bytesRead: 0 }, 0)).to.include({
      reason: 'TransferRunning',
      message: stage,
      running: true,
    });
  });

  it('says that it retries, and why', () => {
    const retrying = runningReport(undefined, { ...progress, failure: 'connection refused' }, 2);
    expect(retrying).to.include({ reason: 'Retrying', message: 'connection refused', restarts: 2, running: true });
  });

  it('keeps what was reported last while the pod does not answer', () => {
    const last = runningReport(undefined, progress, 0);
    expect(runningReport(last, undefined, 0)).to.deep.equal(last);
    expect(runningReport({ ...last, podPhase: 'Pending' }, undefined, 0).progress).to.equal('N/A');
  });

  it('comes back from the annotations as it went in', () => {
    const report = runningReport(undefined, progress, 3);
    expect(readReport(reportAnnotations(report))).to.deep.equal(report);
    expect(readReport({})).to.equal(undefined);
  });
});
