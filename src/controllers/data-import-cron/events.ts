import type { DataImportCron } from '../../api/data-import-cron.ts';
import type { CronCondition } from './conditions.ts';

const NORMAL: readonly string[] = ['UpToDate', 'ImportProgressing'];
/** What comes and goes by itself. */
const UNTOLD: readonly string[] = ['NoDigest', 'Outdated'];

/** Returns the event about a change of the condition UpToDate, if there is something to tell. */
export function eventOf(
  { status }: DataImportCron,
  condition: CronCondition | undefined,
): { type: 'Normal' | 'Warning'; reason: string; message: string } | undefined {
  const recorded = status?.conditions?.find(({ type }) => type === 'UpToDate');
  if (!condition || UNTOLD.includes(condition.reason)) return undefined;
  const { reason, message } = condition;
  if (recorded?.reason === reason && recorded.message === message) return undefined;
  return { type: NORMAL.includes(reason) ? 'Normal' : 'Warning', reason, message };
}
