import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../server/metrics.ts';
import type { BackoffOptions } from './backoff.ts';
import { errorFields, isConflict, retryAfter, TerminalError, toError, WaitingError } from './errors.ts';
import type { EventSource } from './event-source.ts';
import { keyFromString, keyToString, type ObjectKey } from './key.ts';
import { WorkQueue } from './workqueue.ts';

/** Default delay of a WaitingError in milliseconds; as a rule, a watch wakes the object long before. */
const WAITING_MILLISECONDS = 30_000;

/** When to reconcile the object again if nothing changes before: `requeueAfter` in milliseconds. */
export type Result = { readonly requeueAfter?: number } | undefined;

export interface ReconcileContext {
  /** Logger of the controller and the object; bind the `step` to a child of it. */
  readonly logger: Logger;
  /** Signal that is aborted when the process must stop acting. */
  readonly signal: AbortSignal;
}

/**
 * Brings the cluster to the state that one object desires. A key names only *which* object: the reconciler reads the
 * current state, compares, and acts, and a second run finds nothing to do. It is never called concurrently for the same
 * key.
 */
export interface Reconciler {
  /** Name that is unique in the process; it identifies the queue, metrics and log lines. */
  readonly name: string;
  /**
   * Reconciles one object.
   *
   * @throws {TerminalError} a person must act: it is not called again until something changes
   * @throws {WaitingError} something named is missing: it is called again after a delay
   * @throws any other error: it is called again with exponential back-off
   */
  reconcile(key: ObjectKey, context: ReconcileContext): Promise<Result>;
  /**
   * Reports a failure on the object; nothing else does. It is not called for conflicts, which only mean that the cache
   * was stale. If it throws, the key is retried with back-off, whatever the failure was.
   *
   * @returns when to reconcile the object again, where it can be reported sooner than the failure asks for
   */
  failed?(key: ObjectKey, failure: Error): Promise<Result | void>;
}

export interface ControllerOptions {
  readonly watches: readonly EventSource[];
  /** Number of keys that are reconciled concurrently. */
  readonly workers?: number;
  /** Delays after failures of one key. */
  readonly backoff?: BackoffOptions;
}

type ResultLabel = 'success' | 'requeue_after' | 'waiting' | 'terminal' | 'conflict' | 'error';

/** Feeds a reconciler from its watches, and decides what its outcome means for the queue. */
export class Controller {
  readonly name: string;
  readonly #reconciler: Reconciler;
  readonly #watches: readonly EventSource[];
  readonly #workers: number;
  readonly #queue: WorkQueue;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  /** What each key was last reported to wait for. */
  readonly #waiting = new Map<string, string>();
  /** Number of workers that are reconciling. */
  #active = 0;

  constructor(reconciler: Reconciler, options: ControllerOptions & { logger: Logger; metrics: Metrics }) {
    this.name = reconciler.name;
    this.#reconciler = reconciler;
    this.#watches = options.watches;
    this.#workers = options.workers ?? 4;
    this.#queue = new WorkQueue(reconciler.name, options.metrics, options.backoff);
    this.#logger = options.logger.child({ controller: reconciler.name });
    this.#metrics = options.metrics;
    options.metrics.onCollect(() => options.metrics.activeWorkers.set({ controller: this.name }, this.#active));
  }

  /**
   * Works until the signal is aborted, and resolves when the workers have finished their keys.
   *
   * @param mayAct called before each reconciliation; keys are left alone while it returns false
   */
  async run(signal: AbortSignal, mayAct: () => boolean = () => true): Promise<void> {
    if (signal.aborted) return;
    for (const watch of this.#watches) watch.attach((key) => this.#queue.add(keyToString(key)));
    const stop = () => this.#queue.shutDown();
    signal.addEventListener('abort', stop, { once: true });
    this.#logger.info('started', { step: 'start', workers: this.#workers });
    await Promise.all(Array.from({ length: this.#workers }, () => this.#work(signal, mayAct)));
    signal.removeEventListener('abort', stop);
    this.#logger.info('stopped', { step: 'stop' });
  }

  async #work(signal: AbortSignal, mayAct: () => boolean): Promise<void> {
    for (let text = await this.#queue.get(); text !== undefined; text = await this.#queue.get()) {
      if (mayAct()) await this.#process(text, signal);
      this.#queue.done(text);
    }
  }

  async #process(text: string, signal: AbortSignal): Promise<void> {
    const controller = this.name;
    const observe = this.#metrics.reconcileTime.startTimer({ controller });
    this.#active += 1;
    const result = await this.#reconcile(text, new ObjectContext(this.#logger, text, signal));
    this.#active -= 1;
    this.#metrics.reconciles.inc({ controller, result });
    observe();
  }

  async #reconcile(text: string, context: ReconcileContext): Promise<ResultLabel> {
    try {
      const outcome = await this.#reconciler.reconcile(keyFromString(text), context);
      this.#queue.forget(text);
      this.#waiting.delete(text);
      if (outcome?.requeueAfter === undefined) return 'success';
      this.#queue.addAfter(text, outcome.requeueAfter);
      return 'requeue_after';
    } catch (thrown) {
      return this.#fail(text, toError(thrown), context);
    }
  }

  async #fail(text: string, failure: Error, context: ReconcileContext): Promise<ResultLabel> {
    if (context.signal.aborted) return 'error';
    const { logger } = context;
    if (isConflict(failure)) {
      logger.debug('conflict', { step: 'reconcile', error: failure.message });
      this.#queue.addRateLimited(text);
      return 'conflict';
    }
    try {
      const sooner = await this.#reconciler.failed?.(keyFromString(text), failure);
      if (sooner?.requeueAfter !== undefined) this.#queue.addAfter(text, sooner.requeueAfter);
    } catch (error) {
      logger.error('a failure could not be reported', {
        step: 'report',
        failure: failure.message,
        ...errorFields(error),
      });
      this.#queue.addRateLimited(text);
      return 'error';
    }
    if (!(failure instanceof WaitingError)) this.#waiting.delete(text);
    if (failure instanceof TerminalError) {
      logger.warn(failure.message, { step: 'reconcile', reason: failure.reason });
      this.#queue.forget(text);
      return 'terminal';
    }
    if (failure instanceof WaitingError) {
      if (this.#waiting.get(text) !== failure.message)
        logger.info(failure.message, { step: 'reconcile', reason: failure.reason });
      this.#waiting.set(text, failure.message);
      this.#queue.forget(text);
      this.#queue.addAfter(text, failure.after ?? WAITING_MILLISECONDS);
      return 'waiting';
    }
    this.#queue.addRateLimited(text, retryAfter(failure));
    const failures = this.#queue.failures(text);
    logger.error('reconciling failed', { step: 'reconcile', failures, ...errorFields(failure) });
    return 'error';
  }
}

/** What is given to a reconciliation. A logger of its own is made only where something is logged, which is seldom. */
class ObjectContext implements ReconcileContext {
  readonly signal: AbortSignal;
  readonly #parent: Logger;
  readonly #object: string;
  #logger: Logger | undefined;

  constructor(parent: Logger, object: string, signal: AbortSignal) {
    this.#parent = parent;
    this.#object = object;
    this.signal = signal;
  }

  get logger(): Logger {
    return (this.#logger ??= this.#parent.child({ object: this.#object }));
  }
}
