import { expect } from 'chai';
import fc from 'fast-check';
import { parseSchedule, type Schedule } from '../../../../src/controllers/data-import-cron/polls/schedule.ts';

const NOW = Date.parse('2026-11-30T02:34:12Z');
const MINUTE_MILLISECONDS = 60_000;

function times(text: string): Schedule {
  const parsed = parseSchedule(text);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed;
}

describe('the schedule of a DataImportCron', () => {
  it('is that of cron, in UTC, and each cron is late by a share of its own', () => {
    for (const [text, time, latest] of [
      ['0 3 * * *', '2026-11-30T03:00:00Z', 5 * MINUTE_MILLISECONDS],
      ['*/10 * * * *', '2026-11-30T02:40:00Z', MINUTE_MILLISECONDS],
      ['@daily', '2026-12-01T00:00:00Z', 5 * MINUTE_MILLISECONDS],
      ['0 0 13 * 5', '2026-12-04T00:00:00Z', 5 * MINUTE_MILLISECONDS],
      ['5/30 * * * *', '2026-11-30T02:35:00Z', 3 * MINUTE_MILLISECONDS],
    ] as const) {
      const next = Array.from({ length: 500 }, (_, id) => times(text).next(NOW, String(id)));
      const delays = next.map((each) => each - Date.parse(time)).filter((delay) => delay >= 0);
      expect(delays.length, text).to.be.greaterThan(400);
      expect(Math.max(...delays), text).to.be.lessThan(latest);
      const inOneSecond = Math.max(...counts(next.map((each) => Math.floor(each / 1000))));
      expect(inOneSecond, text).to.be.lessThan(30);
    }
  });

  it('may be an interval, in which each cron has its place', () => {
    const next = Array.from({ length: 500 }, (_, id) => times('@every 1h').next(NOW, String(id)));
    expect(Math.min(...next)).to.be.greaterThan(NOW);
    expect(Math.max(...next)).to.be.at.most(NOW + 60 * MINUTE_MILLISECONDS);
    expect(Math.max(...counts(next.map((each) => Math.floor(each / 1000))))).to.be.lessThan(10);
  });

  it('goes on, once for each time, and never stands still', () => {
    const texts = fc.constantFrom('* * * * *', '*/7 * * * *', '0 3 * * *', '@hourly', '0 0 1 * *', '@every 90s');
    fc.assert(
      fc.property(texts, fc.nat(10 ** 9), fc.string(), (text, offset, id) => {
        const schedule = times(text);
        const first = schedule.next(NOW + offset, id);
        const second = schedule.next(first, id);
        expect(first).to.be.greaterThan(NOW + offset);
        expect(second).to.be.greaterThan(first);
        expect(schedule.next(first - 1, id)).to.equal(first);
      }),
    );
  });

  it('says what is wrong where it says no time', () => {
    for (const text of ['0 0 31 2 *', '99 * * * *', '@reboot', '@every 0s', '@every day', '1 2 3', 'TZ=UTC 0 3 * *'])
      expect(parseSchedule(text), text).to.have.property('problem').that.includes(`schedule "${text}" says no time`);
  });
});

function counts(values: readonly number[]): number[] {
  const found = new Map<number, number>();
  for (const value of values) found.set(value, (found.get(value) ?? 0) + 1);
  return [...found.values()];
}
