import { env } from 'node:process';
import { KubeConfig } from '@kubernetes/client-node';
import { createLogger } from '../base/logger.ts';
import { toError } from '../kube/errors.ts';
import type { ServiceOptions } from './service.ts';

const PORT = 8443;
const METRICS_PORT = 8080;

/**
 * Runs a service until the process is told to stop, and the requests that are under way by then have ended.
 *
 * Environment (with defaults): POD_NAMESPACE (namespace of the installation; cdi), LOG_LEVEL (info), LOG_FORMAT (text),
 * PORT (8443) and METRICS_PORT (8080).
 *
 * @returns the exit code: 0 after a graceful stop, 1 when the keys could not be watched
 */
export async function runService(
  create: (options: ServiceOptions) => { run(signal: AbortSignal): Promise<void> },
): Promise<number> {
  const logger = createLogger();
  process.on('unhandledRejection', (reason) => {
    logger.error('a rejection was not handled', { step: 'crash', error: toError(reason).stack });
    process.exit(1);
  });
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromDefault();
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort());
  try {
    const service = create({
      kubeConfig,
      namespace: env['POD_NAMESPACE'] ?? 'cdi',
      logger,
      port: Number(env['PORT'] ?? PORT),
      metricsPort: Number(env['METRICS_PORT'] ?? METRICS_PORT),
    });
    await service.run(stopping.signal);
    return 0;
  } catch (error) {
    logger.error('the server has stopped', { step: 'stop', error: toError(error).message });
    return 1;
  }
}
