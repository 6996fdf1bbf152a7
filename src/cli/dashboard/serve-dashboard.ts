import { createLogger } from '../../base/logger.ts';
import { readAssets } from '../../dashboard/assets.ts';
import { Board, watchedResources } from '../../dashboard/board.ts';
import { PageRoutes } from '../../dashboard/routes.ts';
import { type Watched, watchedNames } from '../../dashboard/rows/row.ts';
import type { KubeClient } from '../../kube/client.ts';
import { connect } from '../../kube/connect.ts';
import { isForbidden, isNotFound } from '../../kube/errors.ts';
import { Informer } from '../../kube/informer.ts';
import type { KubeObject, Resource } from '../../kube/resource.ts';
import { Metrics } from '../../server/metrics.ts';
import { printLines } from '../output.ts';
import { LocalServer } from './local-server.ts';

/** Milliseconds for the first lists, which may be large. */
const ANSWER_MILLISECONDS = 120_000;

export interface DashboardOptions {
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly port?: number;
}

/**
 * Serves the page until the signal is aborted, and prints its address once there is something to see.
 *
 * @throws Error if the cluster does not answer, denies this user everything, or the port is taken
 */
export async function serveDashboard(options: DashboardOptions, signal: AbortSignal): Promise<void> {
  const { client, namespace: current, server } = connect('diskpress-cli');
  const namespace = options.allNamespaces ? undefined : (options.namespace ?? current);
  const ending = new AbortController();
  const working = AbortSignal.any([signal, ending.signal]);
  const late = AbortSignal.timeout(ANSWER_MILLISECONDS);
  const inTime = AbortSignal.any([signal, late]);
  const caches: { start(signal: AbortSignal): Promise<void>; waitForSync(signal: AbortSignal): Promise<void> }[] = [];
  try {
    const denied = await deniedAmong(client, namespace, inTime);
    const shared = { namespace, logger: createLogger({ level: 'error' }), metrics: new Metrics() };
    const board = new Board(
      (resource, own) => {
        const informer = new Informer(client, resource, { ...own, ...shared });
        caches.push(informer);
        return informer;
      },
      new Set(watchedNames.filter((name) => !denied.includes(name))),
    );
    const running = caches.map((cache) => cache.start(working));
    await Promise.all(caches.map((cache) => cache.waitForSync(inTime)));
    const where = namespace === undefined ? 'all namespaces' : `namespace ${namespace}`;
    const notes = denied.map((name) => `You may not list ${name} in ${where}: what they tell is not shown.`);
    const routes = new PageRoutes(board, await readAssets(), { scope: `${server}, ${where}`, notes });
    const local = new LocalServer(routes);
    try {
      const address = await local.listen(options.port ?? 0);
      printLines([address, 'Whoever knows this address sees what you may see, until this ends (Ctrl-C).']);
      await Promise.all(running);
    } finally {
      local.close();
    }
  } catch (error) {
    if (!late.aborted || signal.aborted) throw error;
    const seconds = ANSWER_MILLISECONDS / 1000;
    throw new Error(`${server} has not sent all that is to be shown within ${seconds} s: choose a namespace with -n`, {
      cause: error,
    });
  } finally {
    ending.abort();
    await client.close();
  }
}

/**
 * Returns what this user may not list.
 *
 * @throws Error where that is everything, or the cluster does not answer
 */
async function deniedAmong(client: KubeClient, namespace: string | undefined, signal: AbortSignal): Promise<Watched[]> {
  const denied: Watched[] = [];
  for (const name of watchedNames) {
    try {
      const resource: Resource<KubeObject> = watchedResources[name];
      await client.pages(resource, { namespace, signal, pageSize: 1 }).next();
    } catch (error) {
      if (isNotFound(error)) continue;
      if (!isForbidden(error)) throw error;
      denied.push(name);
      if (denied.length === watchedNames.length) throw error;
    }
  }
  return denied;
}
