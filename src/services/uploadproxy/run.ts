import { env } from 'node:process';
import { setDefaultHighWaterMark } from 'node:stream';
import { KubeConfig } from '@kubernetes/client-node';
import { createLogger } from '../../base/logger.ts';
import { toError } from '../../kube/errors.ts';
import { UploadProxy } from './upload-proxy.ts';

const PORT = 8443;
const METRICS_PORT = 8080;
/** Bytes that wait at each end of an upload: half of Node's default takes no longer, and half of the memory. */
const HIGH_WATER_MARK = 32 * 1024;

/**
 * Runs the upload proxy until the process is told to stop, and the uploads that are under way by then have ended.
 *
 * Environment (with defaults): POD_NAMESPACE (namespace of the installation; cdi), LOG_LEVEL (info), PORT (8443) and
 * METRICS_PORT (8080).
 *
 * @returns the exit code: 0 after a graceful stop, 1 when the keys could not be watched
 */
export async function runUploadProxy(): Promise<number> {
  setDefaultHighWaterMark(false, HIGH_WATER_MARK);
  const logger = createLogger(env['LOG_LEVEL'] ?? 'info');
  process.on('unhandledRejection', (reason) => {
    logger.error('a rejection was not handled', { step: 'crash', error: toError(reason).stack });
    process.exit(1);
  });
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromDefault();
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort());
  try {
    const proxy = new UploadProxy({
      kubeConfig,
      namespace: env['POD_NAMESPACE'] ?? 'cdi',
      logger,
      port: Number(env['PORT'] ?? PORT),
      metricsPort: Number(env['METRICS_PORT'] ?? METRICS_PORT),
    });
    await proxy.run(stopping.signal);
    return 0;
  } catch (error) {
    logger.error('the upload proxy has stopped', { step: 'stop', error: toError(error).message });
    return 1;
  }
}
