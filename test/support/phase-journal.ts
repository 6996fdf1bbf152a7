import { type DataVolume, dataVolumes } from '../../src/api/data-volume.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { keyOf, keyToString, type ObjectKey } from '../../src/kube/key.ts';
import { follow } from './follow.ts';

/** A phase that a DataVolume was seen to enter. */
export interface PhaseEntry {
  readonly phase: string;
  /** Milliseconds of performance.now(). */
  readonly at: number;
}

/** Writes down the phases of all DataVolumes of the cluster as they go through them. */
export class PhaseJournal {
  readonly #entries = new Map<string, PhaseEntry[]>();
  readonly #ending = new AbortController();
  readonly #listener: (dataVolume: DataVolume) => void;
  #watching: Promise<void> | undefined;

  /** @param listener is called for each state that the journal sees, of which several may be of one phase */
  constructor(listener: (dataVolume: DataVolume) => void = () => undefined) {
    this.#listener = listener;
  }

  /** Resolves once nothing escapes it. */
  async start(client: KubeClient): Promise<void> {
    const { ended } = await follow(client, dataVolumes, this.#ending.signal, (object, deleted) => {
      if (deleted) this.#entries.delete(keyToString(keyOf(object)));
      else this.#note(object);
    });
    this.#watching = ended;
  }

  /** The phases of a DataVolume in their order, the first at the time when it was made. */
  of(key: ObjectKey): readonly PhaseEntry[] {
    return this.#entries.get(keyToString(key)) ?? [];
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#watching?.catch(() => undefined);
  }

  #note(dataVolume: DataVolume): void {
    const name = keyToString(keyOf(dataVolume));
    const entries = this.#entries.get(name) ?? [];
    const phase = dataVolume.status?.phase ?? '';
    if (entries.at(-1)?.phase !== phase) entries.push({ phase, at: performance.now() });
    this.#entries.set(name, entries);
    this.#listener(dataVolume);
  }
}
