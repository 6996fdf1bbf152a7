import type { DataImportCron } from '../../api/data-import-cron.ts';
import type { DataSource } from '../../api/data-source.ts';
import { courseOf } from '../../api/reasons.ts';
import type { Row, State, Why } from './row.ts';
import { objectText, sourceText } from './source-text.ts';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
}

/** Returns the row of an image that is imported again and again. Pure. */
export function dataImportCronRow({ metadata, spec, status }: DataImportCron): Row {
  const { name = '', namespace = '', creationTimestamp = '' } = metadata;
  const conditions: readonly Condition[] = status?.conditions ?? [];
  const upToDate = conditions.find(({ type }) => type === 'UpToDate');
  const progressing = conditions.find(({ type }) => type === 'Progressing');
  const state = cronState(upToDate, progressing);
  return {
    id: `dataimportcrons/${namespace}/${name}`,
    resource: 'dataimportcrons',
    kind: 'image',
    namespace,
    name,
    state,
    phase: state === 'done' ? 'UpToDate' : state === 'running' ? 'Progressing' : upToDate?.reason || 'Pending',
    source: sourceText(spec.template.spec, namespace),
    why: state === 'done' ? digestOf(status?.currentImports) : whyOf(state === 'running' ? progressing : upToDate),
    created: Date.parse(creationTimestamp) || 0,
  };
}

/** Returns the row of a name for an image. Pure. */
export function dataSourceRow({ metadata, spec, status }: DataSource): Row {
  const { name = '', namespace = '', creationTimestamp = '' } = metadata;
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const isReady = ready?.status === 'True';
  const source = status?.source ?? spec.source;
  const { pvc, snapshot, dataSource } = source;
  const target = pvc ?? snapshot ?? dataSource;
  const what = snapshot ? 'VolumeSnapshot ' : dataSource ? 'DataSource ' : '';
  return {
    id: `datasources/${namespace}/${name}`,
    resource: 'datasources',
    kind: 'image',
    namespace,
    name,
    state: isReady ? 'done' : 'waiting',
    phase: isReady ? 'Ready' : 'NotReady',
    source: target ? `${what}${objectText(target, namespace)}` : '',
    why: isReady ? undefined : whyOf(ready),
    created: Date.parse(creationTimestamp) || 0,
  };
}

/** An image that is up to date while nobody knows for how long, such as after a poll that failed, waits. */
function cronState(upToDate: Condition | undefined, progressing: Condition | undefined): State {
  const { status, reason = '' } = upToDate ?? {};
  if (progressing?.status === 'True') return 'running';
  if (status === 'True') return reason === '' || reason === 'UpToDate' ? 'done' : 'waiting';
  if (reason === 'PollFailed') return 'waiting';
  return courseOf(reason) === 'permanent' || /Fail|NotValid|Err/.test(reason) ? 'failed' : 'waiting';
}

function digestOf(imports: readonly { readonly Digest: string }[] = []): Why | undefined {
  const digest = imports.at(0)?.Digest;
  return digest === undefined ? undefined : { reason: '', message: digest };
}

function whyOf(condition: Condition | undefined): Why | undefined {
  const { reason = '', message = '' } = condition ?? {};
  return reason || message ? { reason, message } : undefined;
}
