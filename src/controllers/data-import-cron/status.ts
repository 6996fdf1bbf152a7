import { dataImportCronAnnotation } from '../../api/annotations.ts';
import type { DataImportCron, DataImportCronStatus } from '../../api/data-import-cron.ts';
import { differs } from '../../kube/apply.ts';
import { keyOf } from '../../kube/key.ts';
import { conditionsDiffer, withTimes } from '../runtime/conditions.ts';
import type { CronCondition } from './conditions.ts';
import type { Plan } from './decide.ts';

/** Returns the status to write, with times; undefined where the recorded one is up to date. */
export function statusToWrite(
  { metadata, status: recorded }: DataImportCron,
  digest: string | undefined,
  { newest, name, target }: Plan,
  conditions: readonly CronCondition[],
  now: number,
): DataImportCronStatus | undefined {
  const { namespace = '' } = metadata;
  const isBegun = digest && name && !['missing', 'waiting'].includes(newest.stage);
  const claim = target ? { namespace, name: keyOf(target.object).name } : recorded?.lastImportedPVC;
  const isNew = target && recorded?.lastImportedPVC?.name !== claim?.name;
  const facts: DataImportCronStatus = {
    currentImports: isBegun ? [{ DataVolumeName: name, Digest: digest }] : (recorded?.currentImports ?? []),
    ...(claim ? { lastImportedPVC: claim } : {}),
    ...given('lastImportTimestamp', isNew ? timestamp(now) : recorded?.lastImportTimestamp),
    ...given('lastExecutionTimestamp', executed(metadata.annotations) ?? recorded?.lastExecutionTimestamp),
    ...given('sourceFormat', target?.kind ?? recorded?.sourceFormat),
  };
  if (recorded && !differs(facts, recorded) && !conditionsDiffer(conditions, recorded.conditions)) return undefined;
  return { ...facts, conditions: withTimes(conditions, recorded?.conditions, now) };
}

function executed(annotations: Readonly<Record<string, string>> | undefined): string | undefined {
  const time = Date.parse(annotations?.[dataImportCronAnnotation.lastCronTime] ?? '');
  return Number.isNaN(time) ? undefined : timestamp(time);
}

function given<Name extends keyof DataImportCronStatus>(
  name: Name,
  value: DataImportCronStatus[Name] | undefined | null,
): Pick<DataImportCronStatus, Name> | object {
  return value === undefined || value === null ? {} : { [name]: value };
}

function timestamp(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
