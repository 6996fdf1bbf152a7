import { once } from 'node:events';
import type { KubeConfig } from '@kubernetes/client-node';
import { addControllers } from '../../../src/controllers/manager.ts';
import { Manager } from '../../../src/kube/manager.ts';
import { silentLogger } from '../../support/logger.ts';
import { SeverableApi, type Write } from './severable-api.ts';

/**
 * Controllers in this process that die when they are told to, and are followed at once by others that know nothing of
 * them.
 */
export class MortalControllers {
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  /** How often they have died. */
  deaths = 0;

  /**
   * @param kubeConfig of a cluster where no other controllers run
   * @param image of transfer pods
   * @param mayGoOn is asked after each of their writes; `false` is their death
   */
  constructor(kubeConfig: KubeConfig, image: string, mayGoOn: (write: Write) => boolean) {
    this.#running = this.#liveAndDie(kubeConfig, image, mayGoOn);
    this.#running.catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  async #liveAndDie(kubeConfig: KubeConfig, image: string, mayGoOn: (write: Write) => boolean): Promise<void> {
    const { signal } = this.#ending;
    const ended = once(signal, 'abort');
    while (!signal.aborted) {
      const api = await SeverableApi.start(kubeConfig, mayGoOn);
      const manager = new Manager({ kubeConfig: api.kubeConfig(), logger: silentLogger(), stopTimeout: 100 });
      addControllers(manager, { image, namespace: 'cdi', version: 'crash' });
      const stopping = new AbortController();
      const running = manager.run(stopping.signal);
      await Promise.race([api.severed, ended, running]);
      if (!signal.aborted) this.deaths++;
      await api.close();
      stopping.abort();
      // With no connection left, it cannot end in an orderly way.
      await running.catch(() => undefined);
    }
  }
}
