import { setTimeout as sleep } from 'node:timers/promises';
import { dataImportCrons } from '../../api/data-import-cron.ts';
import { dataSources } from '../../api/data-source.ts';
import { createLogger } from '../../base/logger.ts';
import { connect } from '../../kube/connect.ts';
import { Informer } from '../../kube/informer.ts';
import { Metrics } from '../../server/metrics.ts';
import { printLines, redrawLines } from '../output.ts';
import { imageRows } from './image-rows.ts';
import { imageTable } from './image-table.ts';

const REDRAW_MILLISECONDS = 1_000;
const ANSWER_MILLISECONDS = 30_000;

export interface ShowImagesOptions {
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly watch?: boolean;
}

/**
 * Writes the golden images: once, or every second until the signal is aborted. They are those of the cluster in the
 * current context of the kubeconfig.
 *
 * @throws Error if the cluster does not answer, or denies access to this user
 */
export async function showImages(options: ShowImagesOptions, signal: AbortSignal): Promise<void> {
  const { client, namespace: current } = connect('diskpress-cli');
  const namespace = options.allNamespaces ? undefined : (options.namespace ?? current);
  try {
    if (!options.watch) {
      const [crons, sources] = await Promise.all([
        client.list(dataImportCrons, { namespace, signal }),
        client.list(dataSources, { namespace, signal }),
      ]);
      printLines(imageTable(imageRows(crons, sources, Date.now())));
      return;
    }
    const shared = { namespace, logger: createLogger({ level: 'error' }), metrics: new Metrics() };
    const crons = new Informer(client, dataImportCrons, shared);
    const sources = new Informer(client, dataSources, shared);
    const running = [crons.start(signal), sources.start(signal)];
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MILLISECONDS)]);
    await Promise.all([crons.waitForSync(inTime), sources.waitForSync(inTime)]);
    while (!signal.aborted) {
      redrawLines(imageTable(imageRows(crons.list(), sources.list(), Date.now()), process.stdout.columns));
      await sleep(REDRAW_MILLISECONDS, undefined, { signal }).catch(() => undefined);
    }
    await Promise.all(running);
  } finally {
    await client.close();
  }
}
