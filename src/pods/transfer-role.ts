import { env } from 'node:process';
import * as z from 'zod';
import { advised, asTransferError, ScratchNeeded, TransferError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { Progress } from '../base/progress.ts';
import { advice } from '../protocol/advice.ts';
import type { TransferResult } from '../protocol/transfer-pod.ts';
import { Phases } from './phases.ts';
import { serveProgress } from './progress-server.ts';
import type { ReportedRecord } from './reported-record.ts';
import { writeTerminationMessage } from './termination.ts';

export interface TransferRole {
  /** What the pod does, for people: "the clone source". */
  name: string;
  logger: Logger;
  progressPort: number;
  /** Name of the metric with the percentage. */
  metric: string;
  /** Whether it fills the volume, and so has the phases that the log and a metric name; by default it has. */
  hasPhases?: boolean;
  /** Whether the pod can be reached by those who use it; by default always. */
  isReady?: () => boolean;
  /** What the pod reports for the one that takes its place; by default nothing. */
  checkpoint?: ReportedRecord;
  /** The transfer at another system that is open. */
  openTransfers?: ReportedRecord;
  work: (progress: Progress, signal: AbortSignal) => Promise<TransferResult>;
}

/**
 * Runs the work of a transfer pod: serves its progress meanwhile, aborts it on SIGTERM, and leaves the result as
 * termination message.
 *
 * @returns the exit code: 0 when the work succeeded, 1 otherwise
 */
export async function runTransferRole(role: TransferRole): Promise<number> {
  const { name, logger, progressPort, metric, hasPhases = true, isReady, checkpoint, openTransfers, work } = role;
  const termination = new AbortController();
  const terminate = (): void => termination.abort(new TransferError('Interrupted', `${name} was told to stop`));
  process.once('SIGTERM', terminate);
  const started = performance.now();
  const phases = hasPhases ? new Phases() : undefined;
  const progress = new Progress((step, details) => {
    const begun = phases?.enter(step) ?? [];
    for (const phase of begun) logger.info(`${phase}: ${step}`, { ...details, phase });
    if (begun.length === 0) logger.info(step, details);
  });
  const snapshot = () => ({
    ...progress.snapshot(),
    ...(checkpoint?.text && { checkpoint: checkpoint.text }),
    ...(openTransfers?.text && { openTransfer: openTransfers.text }),
  });
  const observed = { snapshot, ...(phases && { phase: () => phases.current }) };
  const server = await serveProgress(observed, progressPort, metric, isReady);
  logger.info('starting', { role: name, progressPort: server.port });
  let result: TransferResult;
  try {
    result = await work(progress, termination.signal);
  } catch (error) {
    phases?.fail();
    result = describeFailure(termination.signal.aborted ? termination.signal.reason : error, logger);
  } finally {
    await server.close();
  }
  logger.info('finished', { result, seconds: Math.round(performance.now() - started) / 1000 });
  await writeTerminationMessage(result);
  // Not removed earlier: a signal without a listener would end the process without its result.
  process.removeListener('SIGTERM', terminate);
  return result.outcome === 'succeeded' ? 0 : 1;
}

/**
 * Reads the request of a pod, which is JSON, from the environment. What is not known of it cannot be left out: without
 * its stage, say, an import would overwrite what other stages have brought.
 *
 * @throws TransferError InvalidRequest; RequestNotUnderstood where it was made by another version of the controllers
 */
export function requestFromEnvironment<Request>(variable: string, schema: z.ZodType<Request>): Request {
  const request = parseJson(env[variable]);
  if (request === undefined) throw new TransferError('InvalidRequest', `${variable} holds no request`);
  const parsed = schema.safeParse(request);
  if (parsed.success) return parsed.data;
  throw new TransferError(
    'RequestNotUnderstood',
    `the request of this pod is of another version of the controllers than its image (${variable}: ${z.prettifyError(parsed.error)}); ` +
      'another pod follows, and the work goes on once both are of one version',
  );
}

function parseJson(text = ''): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function describeFailure(error: unknown, logger: Logger): TransferResult {
  if (error instanceof ScratchNeeded) return { outcome: 'scratch-required', message: error.message };
  const failure = advised(asTransferError(error), advice);
  if (failure.code === 'InternalError') logger.error('internal error', { error: failure.cause });
  return { outcome: 'failed', permanent: failure.permanent, code: failure.code, message: failure.message };
}
