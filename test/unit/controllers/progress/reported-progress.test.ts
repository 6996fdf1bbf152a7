import { expect } from 'chai';
import fc from 'fast-check';
import { reportedProgress } from '../../../../src/controllers/progress/reported-progress.ts';
import { reportedText } from '../../../../src/controllers/progress/reported-text.ts';
import { pendingReport, runningReport } from '../../../../src/controllers/transfers/transfer-report.ts';

const document = { stage: 'copying', bytesRead: 1, bytesWritten: 2, bytesPerSecond: 3, retries: 0 };

describe('what a pod tells of its progress', () => {
  it('is told on as it is, where an importer tells it', () => {
    const whole = { ...document, failure: 'connection refused', checkpoint: '{"version":1}', percent: 12.5 };
    expect(reportedProgress(whole)).to.deep.include(whole);
  });

  it('is bounded, and a checkpoint that is too long is none', () => {
    const long = 'x'.repeat(100_000);
    const told = reportedProgress({ ...document, stage: long, failure: long, checkpoint: long, bytesPerSecond: 1e300 });
    expect(told?.stage).to.have.length(1024).and.to.match(/…$/);
    expect(told?.failure).to.have.length(1024);
    expect(told).to.not.have.property('checkpoint');
    expect(
      runningReport(undefined, { ...document, ...told, failure: undefined } as never, 0).message.length,
    ).to.be.below(1200);
  });

  it('is none with numbers that are not finite, or with texts that are not texts', () => {
    for (const text of ['1e999', '-1', '"1"', 'null']) {
      const parsed: unknown = JSON.parse(
        JSON.stringify(document).replace('"bytesPerSecond":3', `"bytesPerSecond":${text}`),
      );
      expect(reportedProgress(parsed), text).to.equal(undefined);
    }
    expect(reportedProgress({ ...document, stage: {} })).to.equal(undefined);
    expect(reportedProgress([])).to.equal(undefined);
  });

  it('does nothing to a terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.integer({ min: 1, max: 200 }), (text, longest) => {
        const told = reportedText(text, longest);
        expect(told).to.not.match(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
        expect(told.length).to.be.at.most(longest);
      }),
    );
    expect(reportedText('first\r\n\u001b[31msecond', 100)).to.equal('first [31msecond');
  });

  it('is bounded in the message of its end as well', () => {
    const report = pendingReport(1, { reason: 'x'.repeat(1000), message: 'y\n'.repeat(10_000) });
    expect(report.reason).to.have.length(128);
    expect(report.message).to.have.length(4096).and.not.match(/\n/);
  });
});
