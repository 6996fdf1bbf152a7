import { Counter, Gauge, Histogram, Registry } from 'prom-client';

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/**
 * All metrics of the runtime, in their own registry. Names are those of client-go and controller-runtime where these
 * have the metric.
 */
export class Metrics {
  readonly registry: Registry;
  readonly #collectors: (() => void)[] = [];
  readonly requests;
  readonly requestDuration;
  readonly informerLastEvent;
  readonly informerObjects;
  readonly informerLists;
  readonly informerWatchEnds;
  readonly queueDepth;
  readonly queueAdds;
  readonly queueRetries;
  readonly queueDuration;
  readonly queueWorkDuration;
  readonly queueLongestRunning;
  readonly queueUnfinishedWork;
  readonly reconciles;
  readonly reconcileTime;
  readonly activeWorkers;
  readonly leading;
  readonly events;

  constructor(registry = new Registry()) {
    this.registry = registry;
    const registers = [registry];
    this.requests = new Counter({
      name: 'rest_client_requests_total',
      help: 'Requests to the API server; code is the HTTP status, or <error> when there was no answer',
      labelNames: ['verb', 'resource', 'code'],
      registers,
      // Metrics are read in the order in which they are registered: of this one, before what the collectors set.
      collect: () => this.#collectors.forEach((collector) => collector()),
    });
    this.requestDuration = new Histogram({
      name: 'rest_client_request_duration_seconds',
      help: 'Time from the request to the headers of the answer',
      labelNames: ['verb', 'resource'],
      buckets: seconds,
      registers,
    });
    this.informerLastEvent = new Gauge({
      name: 'informer_last_event_timestamp_seconds',
      help: 'When the API server last sent the informer something, bookmarks included',
      labelNames: ['informer'],
      registers,
    });
    this.informerObjects = new Gauge({
      name: 'informer_objects',
      help: 'Objects in the cache of the informer',
      labelNames: ['informer'],
      registers,
    });
    this.informerLists = new Counter({
      name: 'informer_lists_total',
      help: 'Complete lists that the informer read',
      labelNames: ['informer'],
      registers,
    });
    this.informerWatchEnds = new Counter({
      name: 'informer_watch_ends_total',
      help: 'Watches that ended, by why: done, short, broken, refused, unserved, expired',
      labelNames: ['informer', 'reason'],
      registers,
    });
    this.queueDepth = new Gauge({
      name: 'workqueue_depth',
      help: 'Keys waiting for a worker',
      labelNames: ['name'],
      registers,
    });
    this.queueAdds = new Counter({
      name: 'workqueue_adds_total',
      help: 'Keys added to the queue',
      labelNames: ['name'],
      registers,
    });
    this.queueRetries = new Counter({
      name: 'workqueue_retries_total',
      help: 'Keys added again because of a failure',
      labelNames: ['name'],
      registers,
    });
    this.queueDuration = new Histogram({
      name: 'workqueue_queue_duration_seconds',
      help: 'How long a key waited for a worker',
      labelNames: ['name'],
      buckets: seconds,
      registers,
    });
    this.queueWorkDuration = new Histogram({
      name: 'workqueue_work_duration_seconds',
      help: 'How long a worker had a key',
      labelNames: ['name'],
      buckets: seconds,
      registers,
    });
    this.queueLongestRunning = new Gauge({
      name: 'workqueue_longest_running_processor_seconds',
      help: 'How long the slowest worker has had its key',
      labelNames: ['name'],
      registers,
    });
    this.queueUnfinishedWork = new Gauge({
      name: 'workqueue_unfinished_work_seconds',
      help: 'Seconds of work in progress, over all workers',
      labelNames: ['name'],
      registers,
    });
    this.reconciles = new Counter({
      name: 'controller_reconcile_total',
      help: 'Reconciliations by result: success, requeue_after, waiting, terminal, conflict, error',
      labelNames: ['controller', 'result'],
      registers,
    });
    this.reconcileTime = new Histogram({
      name: 'controller_reconcile_time_seconds',
      help: 'How long a reconciliation took',
      labelNames: ['controller'],
      buckets: seconds,
      registers,
    });
    this.activeWorkers = new Gauge({
      name: 'controller_active_workers',
      help: 'Workers that are reconciling',
      labelNames: ['controller'],
      registers,
    });
    this.leading = new Gauge({
      name: 'leader_election_master_status',
      help: '1 while this process holds the lease',
      labelNames: ['name'],
      registers,
    });
    this.events = new Counter({
      name: 'events_total',
      help: 'Events for kubectl describe: written, suppressed (too many about one object) or failed',
      labelNames: ['result'],
      registers,
    });
  }
  /**
   * Registers a function that is called before the metrics are read, to set those that are states rather than events.
   */
  onCollect(collector: () => void): void {
    this.#collectors.push(collector);
  }
}
