import { setTimeout as sleep } from 'node:timers/promises';
import { volumeCloneSources } from '../../api/volume-clone-source.ts';
import { createLogger } from '../../base/logger.ts';
import { persistentVolumeClaims } from '../../kube/builtin-resources.ts';
import { connect } from '../../kube/connect.ts';
import { Informer } from '../../kube/informer.ts';
import { Metrics } from '../../server/metrics.ts';
import { printLines, redrawLines } from '../output.ts';
import { cloneRows } from './clone-rows.ts';
import { cloneTable } from './clone-table.ts';

const REDRAW_MILLISECONDS = 1_000;
const ANSWER_MILLISECONDS = 30_000;

export interface ShowClonesOptions {
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly watch?: boolean;
}

/**
 * Writes the clones that are in progress: once, or every second until the signal is aborted. They are those of the
 * cluster in the current context of the kubeconfig.
 *
 * @throws Error if the cluster does not answer, or denies access to this user
 */
export async function showClones(options: ShowClonesOptions, signal: AbortSignal): Promise<void> {
  const { client, namespace: current } = connect('diskpress-cli');
  const namespace = options.allNamespaces ? undefined : (options.namespace ?? current);
  try {
    if (!options.watch) {
      const [claims, sources] = await Promise.all([
        client.list(persistentVolumeClaims, { namespace, signal }),
        client.list(volumeCloneSources, { namespace, signal }),
      ]);
      printLines(cloneTable(cloneRows(claims, sources, Date.now())));
      return;
    }
    const shared = { namespace, logger: createLogger({ level: 'error' }), metrics: new Metrics() };
    const claims = new Informer(client, persistentVolumeClaims, shared);
    const sources = new Informer(client, volumeCloneSources, shared);
    const running = [claims.start(signal), sources.start(signal)];
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MILLISECONDS)]);
    await Promise.all([claims.waitForSync(inTime), sources.waitForSync(inTime)]);
    while (!signal.aborted) {
      redrawLines(cloneTable(cloneRows(claims.list(), sources.list(), Date.now()), process.stdout.columns));
      await sleep(REDRAW_MILLISECONDS, undefined, { signal }).catch(() => undefined);
    }
    await Promise.all(running);
  } finally {
    await client.close();
  }
}
