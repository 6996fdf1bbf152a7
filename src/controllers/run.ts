import { hostname } from 'node:os';
import { env } from 'node:process';
import { KubeConfig } from '@kubernetes/client-node';
import { createLogger, logSettings } from '../base/logger.ts';
import { toError } from '../kube/errors.ts';
import { Manager } from '../kube/manager.ts';
import { CONTROLLERS_LEASE } from '../protocol/installation.ts';
import { addControllers } from './manager.ts';
import { metricsEndpoint } from './monitoring/metrics-endpoint.ts';

const METRICS_PORT = 8443;
const HEALTH_PORT = 8080;

/**
 * Runs the controllers until the process is told to stop.
 *
 * Environment (with defaults): POD_NAMESPACE (namespace of the installation; cdi), POD_NAME (holder of the lease; the
 * host name), TRANSFER_IMAGE (image of transfer pods), LOG_LEVEL (info), LOG_FORMAT (text), METRICS_PORT (8443),
 * HEALTH_PORT (8080).
 *
 * @returns the exit code: 0 after a graceful stop, 1 when the lease was lost or the caches could not be filled
 */
export async function runControllers(version: string): Promise<number> {
  const logger = createLogger();
  process.on('unhandledRejection', (reason) => {
    logger.error('a rejection was not handled', { step: 'crash', error: toError(reason).stack });
    process.exit(1);
  });
  const image = env['TRANSFER_IMAGE'];
  if (!image) {
    logger.error('TRANSFER_IMAGE is not set: it must name the image that transfer pods run', { step: 'start' });
    return 1;
  }
  const namespace = env['POD_NAMESPACE'] ?? 'cdi';
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromDefault();
  const manager = new Manager({
    kubeConfig,
    logger,
    component: 'cdi-controller',
    leaderElection: { namespace, name: CONTROLLERS_LEASE, identity: env['POD_NAME'] ?? hostname() },
    port: Number(env['HEALTH_PORT'] ?? HEALTH_PORT),
    servesMetrics: false,
  });
  const metrics = metricsEndpoint(manager, { namespace, logger });
  addControllers(manager, { image, namespace, version, logFormat: logSettings().format });
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort());
  try {
    const port = await metrics.listen(Number(env['METRICS_PORT'] ?? METRICS_PORT));
    logger.info('serving metrics', { step: 'start', port });
    await manager.run(stopping.signal);
    return 0;
  } catch (error) {
    logger.error('the controllers have stopped', { step: 'stop', error: toError(error).message });
    return 1;
  } finally {
    await metrics.close();
  }
}
