import { createHash } from 'node:crypto';
import { Cron } from 'croner';
import { parseDuration } from '../../../api/duration.ts';

const EVERY = '@every ';
const SHORTEST_INTERVAL_MILLISECONDS = 1_000;
/** Crons of the same schedule are spread over this share of the time until it comes round again. */
const SPREAD = 0.1;
const LONGEST_SPREAD_MILLISECONDS = 5 * 60_000;

/** When a source is looked at: times in milliseconds since the epoch. */
export interface Schedule {
  /**
   * Returns the next time after another one.
   *
   * @param id tells crons of the same schedule apart, so that they do not all look at the same moment
   */
  next(after: number, id: string): number;
}

/**
 * Parses a schedule: five fields as in cron, in UTC; `@daily` and the like; or `@every` and a duration as in Go.
 *
 * @returns what is wrong with it, for people, where it says no time
 */
export function parseSchedule(text: string): Schedule | { readonly problem: string } {
  try {
    return text.startsWith(EVERY) ? every(text.slice(EVERY.length)) : cron(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return {
      problem: `schedule "${text}" says no time at which to look for a new image (${why}); make the DataImportCron anew with one such as "0 3 * * *", which is every night at three (UTC)`,
    };
  }
}

/** Each has a phase of its own. */
function every(text: string): Schedule {
  const interval = parseDuration(text);
  if (interval === undefined || interval < SHORTEST_INTERVAL_MILLISECONDS)
    throw new RangeError(`"${text}" is no duration of at least a second such as 1h30m`);
  return {
    next: (after, id) => {
      const phase = Math.floor(shareOf(id) * interval);
      return after + interval - ((((after - phase) % interval) + interval) % interval);
    },
  };
}

function cron(text: string): Schedule {
  const pattern = new Cron(text, { mode: '5-part', timezone: 'Etc/UTC', sloppyRanges: true });
  const following = (after: number): number => {
    const next = pattern.nextRun(new Date(after));
    if (!next) throw new RangeError('there is no such day');
    return next.getTime();
  };
  following(0);
  const delayed = (time: number, id: string): number => {
    const range = Math.min(LONGEST_SPREAD_MILLISECONDS, (following(time) - time) * SPREAD);
    return time + Math.floor(range * shareOf(id));
  };
  return {
    next: (after, id) => {
      // Between a time and its delay, that time is still to come.
      let time = following(after - LONGEST_SPREAD_MILLISECONDS);
      while (delayed(time, id) <= after) time = following(time);
      return delayed(time, id);
    },
  };
}

/** Returns a number that an id always has, of those from 0 up to 1. */
function shareOf(id: string): number {
  return createHash('sha256').update(id).digest().readUInt32BE() / 2 ** 32;
}
