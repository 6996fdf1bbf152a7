import { Counter, type Registry } from 'prom-client';

/** Counts looks at the sources of DataImportCrons. */
export class PollMetrics {
  readonly #polls;

  constructor(registry: Registry) {
    this.#polls = new Counter({
      name: 'diskpress_image_polls_total',
      help: 'Looks at the sources of DataImportCrons, by the kind of source, and by whether there was a new image',
      labelNames: ['source', 'result'],
      registers: [registry],
    });
  }

  /** @param source one of the kinds of sources that a DataImportCron may have */
  count(source: string, result: 'new' | 'unchanged' | 'failed'): void {
    this.#polls.inc({ source, result });
  }
}
