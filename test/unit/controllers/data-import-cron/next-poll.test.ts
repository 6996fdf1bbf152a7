import { expect } from 'chai';
import type { DataImportCron } from '../../../../src/api/data-import-cron.ts';
import { nextPoll, pollAfter } from '../../../../src/controllers/data-import-cron/polls/next-poll.ts';

const NOW = Date.parse('2026-11-30T02:34:12Z');
const HOUR_MILLISECONDS = 3_600_000;
const time = (milliseconds: number) => new Date(milliseconds).toISOString();
const cron = (
  annotations: Record<string, string>,
  {
    schedule = '0 * * * *',
    source = {},
    status = {},
  }: Partial<DataImportCron['spec']> & { source?: object; status?: object } = {},
): DataImportCron => ({
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind: 'DataImportCron',
  metadata: {
    name: 'cron',
    uid: 'uid',
    annotations: Object.fromEntries(
      Object.entries(annotations).map(([name, value]) => [`cdi.kubevirt.io/storage.import.${name}`, value]),
    ),
  },
  spec: { template: { spec: { source } }, schedule, managedDataSource: 'fedora', importsToKeep: 3 },
  status,
});
const looked = { lastCronTime: time(NOW - 60_000), nextCronTime: time(NOW + 1_000) };

describe('when the source of a DataImportCron is looked at', () => {
  it('is at once the first time, then when its annotation says, and no later than its schedule', () => {
    expect(nextPoll(cron({}), undefined, NOW)).to.equal(NOW);
    expect(nextPoll(cron(looked), undefined, NOW)).to.equal(NOW + 1_000);
    const postponed = cron({ ...looked, nextCronTime: '2099-01-01T00:00:00Z' });
    expect(nextPoll(postponed, undefined, NOW)).to.be.at.most(NOW + HOUR_MILLISECONDS);
    expect(nextPoll(cron({ ...looked, nextCronTime: 'never' }), undefined, NOW)).to.equal(NOW);
  });

  it('is never twice within seconds, whatever somebody writes', () => {
    expect(nextPoll(cron({}), { failures: 0, at: NOW - 100 }, NOW)).to.equal(NOW + 4_900);
  });

  it('is sooner after a failure, the later the more there were', () => {
    const delays = [1, 2, 3, 20].map(
      (failures) => (pollAfter(cron({}, { schedule: '@monthly' }), failures, NOW) ?? 0) - NOW,
    );
    expect(delays[0]).to.be.within(24_000, 36_000);
    expect(delays[1]).to.be.within(48_000, 72_000);
    expect(delays[3]).to.be.within(0.8 * HOUR_MILLISECONDS, 1.2 * HOUR_MILLISECONDS);
    expect(pollAfter(cron({}), 20, NOW)).to.be.at.most(NOW + HOUR_MILLISECONDS);
  });

  it('is once more after an import that may have got a newer version than was found', () => {
    const status = { lastImportTimestamp: time(NOW - 1_000) };
    expect(nextPoll(cron(looked, { source: { http: { url: 'http://a/b' } }, status }), undefined, NOW)).to.equal(NOW);
    expect(nextPoll(cron(looked, { source: { registry: {} }, status }), undefined, NOW)).to.equal(NOW + 1_000);
  });

  it('is for others to say where there is no schedule, but for the first time', () => {
    expect(nextPoll(cron({}, { schedule: '' }), undefined, NOW)).to.equal(NOW);
    expect(nextPoll(cron({}, { schedule: '' }), { failures: 2, at: NOW }, NOW)).to.equal(NOW + 60_000);
    expect(nextPoll(cron({ sourceDesiredDigest: 'sha256:1' }, { schedule: '' }), undefined, NOW)).to.equal(undefined);
    expect(nextPoll(cron({}, { schedule: '0 0 31 2 *' }), undefined, NOW)).to.equal(undefined);
  });
});
