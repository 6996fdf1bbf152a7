import { expect } from 'chai';
import { importWords } from '../../../../src/controllers/import/words.ts';
import { workForAnnotation } from '../../../../src/controllers/objects/internal-annotations.ts';
import { reportOnClaim } from '../../../../src/controllers/transfers/claim-events.ts';
import {
  completedReport,
  failedReport,
  pendingReport,
  reportAnnotations,
  type TransferReport,
} from '../../../../src/controllers/transfers/transfer-report.ts';
import type { PersistentVolumeClaim } from '../../../../src/kube/builtin-resources.ts';

const claim: PersistentVolumeClaim = { metadata: { namespace: 'team', name: 'disk', uid: 'of-disk' } };
const quota = pendingReport(0, { reason: 'ErrExceededQuota', message: 'exceeded quota: one' });
const notFound = failedReport(0, { reason: 'NotFound', message: 'answered with 404' });

function told(
  about: PersistentVolumeClaim,
  report: TransferReport,
): { type: string; reason: string; message: string }[] {
  const events: { type: string; reason: string; message: string }[] = [];
  const recorder = { event: (_: unknown, event: (typeof events)[number]) => events.push(event) };
  reportOnClaim(recorder as never, about, report, importWords);
  return events;
}

const after = (report: TransferReport): PersistentVolumeClaim => ({
  metadata: { ...claim.metadata, annotations: reportAnnotations(report) },
});
const owned: PersistentVolumeClaim = {
  metadata: {
    ...claim.metadata,
    ownerReferences: [{ apiVersion: 'v1', kind: 'DataVolume', name: 'disk', uid: 'u', controller: true }],
  },
};

describe('the events of a claim that is imported into', () => {
  it('tell what is in the way, that it has failed, and that it has succeeded', () => {
    expect(told(claim, quota)).to.deep.equal([
      { type: 'Warning', reason: 'ErrExceededQuota', message: 'exceeded quota: one' },
    ]);
    expect(told(claim, notFound)).to.deep.equal([
      { type: 'Warning', reason: 'ImportFailed', message: 'answered with 404' },
    ]);
    expect(told(claim, completedReport(0, 'Import Complete'))).to.deep.equal([
      { type: 'Normal', reason: 'ImportSucceeded', message: 'Successfully imported into PVC disk' },
    ]);
  });

  it('tell each once, and nothing of the ordinary course', () => {
    for (const report of [quota, notFound, completedReport(0, 'Import Complete')])
      expect(told(after(report), report)).to.deep.equal([]);
    for (const reason of ['Pending', 'Provisioning', 'ScratchRequired'])
      expect(told(claim, pendingReport(0, { reason, message: 'soon' })), reason).to.deep.equal([]);
    const retrying = { ...quota, podPhase: 'Running', running: true, reason: 'Retrying' } as const;
    expect(told(claim, retrying)).to.deep.equal([]);
  });

  it('are left to the DataVolume, but for a failure, and to the claim that a working claim is for', () => {
    expect(told(owned, quota)).to.deep.equal([]);
    expect(told(owned, notFound)).to.have.length(1);
    const working = { metadata: { ...claim.metadata, annotations: { [workForAnnotation]: 'of-target' } } };
    for (const report of [quota, notFound]) expect(told(working, report)).to.deep.equal([]);
  });
});
