import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../log/logger.ts';
import { leases, type Lease } from './builtin-resources.ts';
import type { KubeClient } from './client.ts';
import { isAlreadyExists, isConflict, LeadershipLostError, toError } from './errors.ts';
import type { Metrics } from './metrics.ts';

export interface LeaderElectionOptions {
  /** Of the Lease. */
  readonly namespace: string;
  readonly name: string;
  /** Unique to this process, such as the pod's name. */
  readonly identity: string;
  /** How long others wait, in milliseconds, after they last saw the leader renew. */
  readonly leaseDuration?: number;
  /** The leader gives up when it could not renew for so long. Shorter than leaseDuration, by more than clocks drift apart. */
  readonly renewDeadline?: number;
  /** How often the leader renews and the others look. */
  readonly retryPeriod?: number;
}

/**
 * Leader election by a coordination.k8s.io Lease, in the protocol of client-go: the times written to the Lease are for people; what
 * counts is this process's own monotonic clock, from when it last saw the Lease change. A leader whose event loop was blocked, or that
 * cannot reach the server, stops leading by that same clock, before another one can begin.
 */
export class LeaderElector {
  readonly #client: KubeClient;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #options: Required<LeaderElectionOptions>;
  /** As last read or written, and when it was first seen so. */
  #lease: Lease | undefined;
  #observedAt = 0;
  /** When the request was begun that renewed the lease last; undefined when not leading. */
  #renewedAt: number | undefined;

  constructor(client: KubeClient, options: LeaderElectionOptions & { logger: Logger; metrics: Metrics }) {
    const { logger, metrics, ...election } = options;
    this.#client = client;
    this.#metrics = metrics;
    this.#options = { leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2_000, ...election };
    this.#logger = logger.child({ lease: `${election.namespace}/${election.name}`, identity: election.identity });
    const { leaseDuration, renewDeadline, retryPeriod } = this.#options;
    if (!(leaseDuration > renewDeadline && renewDeadline > retryPeriod)) {
      throw new RangeError('leader election needs leaseDuration > renewDeadline > retryPeriod');
    }
  }

  /** Whether this process may act now: false as soon as the renewal is overdue, even if no timer could say so yet. */
  get leading(): boolean {
    return this.#renewedAt !== undefined && performance.now() - this.#renewedAt < this.#options.renewDeadline;
  }

  /** Resolves when this process leads; rejects with the signal's reason. */
  async acquire(signal: AbortSignal): Promise<void> {
    this.#logger.info('waiting for the lease', { step: 'elect' });
    while (!(await this.#attempt(signal))) {
      await sleep(this.#options.retryPeriod * (1 + Math.random() / 5), undefined, { signal });
    }
    this.#metrics.leading.set({ name: this.#options.name }, 1);
    this.#logger.info('leading', { step: 'elect' });
  }

  /**
   * Renews the lease until the signal is aborted, and then resolves.
   *
   * @throws {LeadershipLostError} another has it, or it could not be renewed in time
   */
  async hold(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const asleep = performance.now();
      await sleep(this.#options.retryPeriod, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      const late = performance.now() - asleep - this.#options.retryPeriod;
      if (late > this.#options.retryPeriod) {
        this.#logger.warn('the event loop was blocked', { step: 'renew', milliseconds: Math.round(late) });
      }
      // An answer later than this would not help.
      const left = (this.#renewedAt ?? 0) + this.#options.renewDeadline - performance.now();
      if (left <= 0) throw this.#lost('the lease could not be renewed in time');
      const renewed = await this.#attempt(AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(left))]));
      const holder = this.#lease?.spec?.holderIdentity;
      if (!renewed && holder !== this.#options.identity)
        throw this.#lost(`the lease was taken by ${holder || 'no one'}`);
    }
  }

  /** Gives the lease back, so that another process need not wait for it to expire. Call it when nothing acts any more. */
  async release(): Promise<void> {
    if (!this.leading || !this.#lease) return;
    this.#stop();
    try {
      const spec = { ...this.#lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime() };
      const signal = AbortSignal.timeout(this.#options.renewDeadline);
      await this.#client.update(leases, { ...this.#lease, spec }, { signal });
      this.#logger.info('lease released', { step: 'release' });
    } catch (error) {
      this.#logger.warn('the lease could not be released', { step: 'release', error: toError(error).message });
    }
  }

  #lost(message: string): LeadershipLostError {
    this.#stop();
    return new LeadershipLostError(`${this.#options.namespace}/${this.#options.name}: ${message}`);
  }

  #stop(): void {
    this.#renewedAt = undefined;
    this.#metrics.leading.set({ name: this.#options.name }, 0);
  }

  /** One try to take or renew the lease. @returns whether this process has it */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    try {
      return await this.#tryOnce(signal);
    } catch (error) {
      if (isConflict(error) || isAlreadyExists(error)) {
        // Someone else wrote it: look, rather than go on from what was known.
        return await this.#tryAgainFromServer(signal);
      }
      this.#logger.warn('the lease could not be read or written', { step: 'elect', error: toError(error).message });
      return false;
    }
  }

  async #tryAgainFromServer(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#observe(signal);
      return this.#lease?.spec?.holderIdentity === this.#options.identity ? await this.#tryOnce(signal) : false;
    } catch (error) {
      this.#logger.warn('the lease could not be read or written', { step: 'elect', error: toError(error).message });
      return false;
    }
  }

  async #tryOnce(signal: AbortSignal): Promise<boolean> {
    const mine = () => this.#lease?.spec?.holderIdentity === this.#options.identity;
    // The holder goes on from what it wrote; a change by another shows as a conflict.
    if (!mine() || this.#renewedAt === undefined) await this.#observe(signal);
    const expired = performance.now() - this.#observedAt > (this.#lease?.spec?.leaseDurationSeconds ?? 0) * 1000;
    if (this.#lease?.spec?.holderIdentity && !mine() && !expired) return false;
    const started = performance.now();
    this.#keep(await this.#write(signal));
    this.#renewedAt = started;
    return true;
  }

  async #write(signal: AbortSignal): Promise<Lease> {
    const { namespace, name, identity, leaseDuration } = this.#options;
    const now = microTime();
    const current = this.#lease;
    const spec = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDuration / 1000),
      renewTime: now,
      acquireTime: now,
      leaseTransitions: 0,
    };
    if (!current) return this.#client.create(leases, { metadata: { namespace, name }, spec }, { signal });
    const { acquireTime, holderIdentity, leaseTransitions = 0 } = current.spec ?? {};
    if (holderIdentity === identity) Object.assign(spec, { acquireTime, leaseTransitions });
    else spec.leaseTransitions = leaseTransitions + 1;
    return this.#client.update(leases, { ...current, spec }, { signal });
  }

  async #observe(signal: AbortSignal): Promise<void> {
    const { namespace, name } = this.#options;
    this.#keep(await this.#client.get(leases, { namespace, name }, { signal }));
  }

  #keep(lease: Lease | undefined): void {
    if (lease?.metadata?.resourceVersion !== this.#lease?.metadata?.resourceVersion)
      this.#observedAt = performance.now();
    this.#lease = lease;
  }
}

/** Now, with the six digits of a second's fraction that the API demands of a MicroTime. */
function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z');
}
