import { dataImportCronAnnotation } from '../../../api/annotations.ts';
import type { DataImportCron } from '../../../api/data-import-cron.ts';
import { backoffDelay } from '../../../kube/backoff.ts';
import { isUnpinned } from '../pinned-source.ts';
import type { PollOutcome } from './poll-memory.ts';
import { parseSchedule } from './schedule.ts';

const BACKOFF = { base: 30_000, max: 60 * 60_000 };
/** Share by which the delays after failures vary in either direction, so that many crons do not try again at once. */
const JITTER = 0.2;
/** A source is not looked at more often, whatever somebody writes on the DataImportCron. */
const SHORTEST_INTERVAL_MILLISECONDS = 5_000;

/**
 * Returns when to look at a source next, in milliseconds since the epoch; undefined where that is for somebody else to
 * say.
 *
 * @param outcome of the last look, if there was one since the start
 */
export function nextPoll(cron: DataImportCron, outcome: PollOutcome | undefined, now: number): number | undefined {
  const due = dueTime(cron, outcome, now);
  return due === undefined || !outcome ? due : Math.max(due, outcome.at + SHORTEST_INTERVAL_MILLISECONDS);
}

/** Returns when to look again after a look at this time, in milliseconds since the epoch; undefined as above. */
export function pollAfter({ metadata, spec }: DataImportCron, failures: number, now: number): number | undefined {
  const times = parseSchedule(spec.schedule);
  if ('problem' in times) return undefined;
  const next = times.next(now, metadata.uid ?? '');
  return failures === 0 ? next : Math.min(next, now + backoffDelay(failures, { ...BACKOFF, jitter: JITTER }));
}

function dueTime(cron: DataImportCron, outcome: PollOutcome | undefined, now: number): number | undefined {
  const { annotations = {}, uid = '' } = cron.metadata;
  const { schedule, template } = cron.spec;
  const failures = outcome?.failures ?? 0;
  if (schedule === '') {
    if (annotations[dataImportCronAnnotation.desiredDigest]) return undefined;
    return outcome && failures > 0 ? outcome.at + backoffDelay(failures, BACKOFF) : now;
  }
  const times = parseSchedule(schedule);
  if ('problem' in times) return undefined;
  const last = timeOf(annotations[dataImportCronAnnotation.lastCronTime]);
  const next = timeOf(annotations[dataImportCronAnnotation.nextCronTime]);
  if (last === undefined || next === undefined) return now;
  const imported = timeOf(cron.status?.lastImportTimestamp ?? undefined);
  const mayBeNewer = isUnpinned(template.spec.source ?? {}) && imported !== undefined && imported >= last;
  return mayBeNewer && failures === 0 ? now : Math.min(next, times.next(last, uid));
}

function timeOf(text: string | undefined): number | undefined {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? undefined : time;
}
