import { Counter, Histogram, type Registry } from 'prom-client';
import { parseQuantity } from '../../api/quantity.ts';
import { importedSources } from '../../api/sources.ts';
import { transferErrorCodes } from '../../base/errors.ts';
import type { PersistentVolumeClaim, Pod } from '../../kube/builtin-resources.ts';
import type { Caches } from '../runtime/caches.ts';

/** Seconds. */
const buckets = [1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 28_800];
/** Reasons of a failure that are no codes of the transfer's own: its pod came to an end without one. */
const podReasons = ['OOMKilled', 'PodKilled', 'PodFailed', 'Evicted', 'DeadlineExceeded'];
const reasons: ReadonlySet<string> = new Set([...transferErrorCodes, ...podReasons]);
const sources: ReadonlySet<string> = new Set(importedSources.map(({ name }) => name));
/** Pods that are remembered, so that each counts once. A pod is looked at more than once within seconds only. */
const MOST_PODS = 10_000;

/** What a pod has moved, and into what. */
export interface TransferOfPod {
  /** Name of the controller. */
  readonly kind: string;
  /** Kind of source of an import. */
  readonly source?: string | undefined;
  readonly pod: Pod;
}

/**
 * Counts what transfer pods have come to, each pod once. Claims and pods may say anything, so that labels have closed
 * sets of values.
 */
export class TransferMetrics {
  static readonly #all = new WeakMap<Registry, TransferMetrics>();
  readonly #transfers;
  readonly #retries;
  readonly #bytes;
  readonly #duration;
  readonly #counted = new Set<string>();

  /** Returns those of a registry, which the controllers of all kinds of transfers share. */
  static of(registry: Registry): TransferMetrics {
    const known = this.#all.get(registry) ?? new TransferMetrics(registry);
    this.#all.set(registry, known);
    return known;
  }

  private constructor(registry: Registry) {
    const registers = [registry];
    const labelNames = ['kind', 'source'] as const;
    this.#transfers = new Counter({
      name: 'diskpress_transfers_total',
      help: 'Transfers, and stages of them, that have ended: result is succeeded, or failed for good',
      labelNames: [...labelNames, 'result'],
      registers,
    });
    this.#retries = new Counter({
      name: 'diskpress_transfer_retries_total',
      help: 'Attempts that have failed, and are followed by another one, by why',
      labelNames: [...labelNames, 'reason'],
      registers,
    });
    this.#bytes = new Counter({
      name: 'diskpress_transfer_written_bytes_total',
      help: 'Bytes that transfers have written to the volumes that they have filled',
      labelNames,
      registers,
    });
    this.#duration = new Histogram({
      name: 'diskpress_transfer_duration_seconds',
      help: 'How long the pods of the transfers that have succeeded have run',
      labelNames,
      buckets,
      registers,
    });
  }

  /**
   * Counts a transfer that has succeeded.
   *
   * @param bytesWritten as its pod says
   * @param capacity bytes of its volume, more of which are not believed
   */
  succeeded(transfer: TransferOfPod, bytesWritten: number, capacity: number): void {
    if (!this.#isNew(transfer.pod)) return;
    const labels = labelsOf(transfer);
    this.#transfers.inc({ ...labels, result: 'succeeded' });
    this.#bytes.inc(labels, Math.max(0, Math.min(bytesWritten, capacity)));
    const seconds = secondsOf(transfer.pod);
    if (seconds !== undefined) this.#duration.observe(labels, seconds);
  }

  /** Counts a pod that has failed, and with it the transfer where the failure is permanent. */
  failed(transfer: TransferOfPod, { reason, permanent }: { reason: string; permanent: boolean }): void {
    if (!this.#isNew(transfer.pod)) return;
    const labels = labelsOf(transfer);
    if (permanent) this.#transfers.inc({ ...labels, result: 'failed' });
    else this.#retries.inc({ ...labels, reason: reasons.has(reason) ? reason : 'other' });
  }

  #isNew({ metadata }: Pod): boolean {
    const uid = metadata?.uid ?? '';
    if (this.#counted.has(uid)) return false;
    if (this.#counted.size >= MOST_PODS) this.#counted.delete(this.#counted.keys().next().value ?? '');
    this.#counted.add(uid);
    return true;
  }
}

/** Returns the bytes of the volume that a claim is bound to, which no tenant writes; 0 where they are unknown. */
export function volumeBytes({ volumes }: Pick<Caches, 'volumes'>, { spec }: PersistentVolumeClaim): number {
  const volume = volumes.get({ namespace: '', name: spec?.volumeName ?? '' });
  return parseQuantity(volume?.spec?.capacity?.['storage'] ?? '0');
}

function labelsOf({ kind, source }: TransferOfPod): { kind: string; source: string } {
  return { kind, source: source === undefined ? '' : sources.has(source) ? source : 'other' };
}

/** Returns how many seconds the container has run, by the clock of its node; undefined where it is not said. */
function secondsOf({ status }: Pod): number | undefined {
  const ended = status?.containerStatuses?.map(({ state }) => state?.terminated).find((each) => each !== undefined);
  const seconds = (Date.parse(String(ended?.finishedAt)) - Date.parse(String(ended?.startedAt))) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}
