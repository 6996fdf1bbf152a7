import type { Logger } from '../../base/logger.ts';
import { secrets } from '../../kube/builtin-resources.ts';
import { KeyWatch } from '../../kube/key-watch.ts';
import type { Manager } from '../../kube/manager.ts';
import { keyPairIn } from '../../kube/secret-content.ts';
import { TokenAccess } from '../../kube/token-access.ts';
import { roleCertificates } from '../../protocol/installation.ts';
import { MetricsServer } from '../../server/metrics-server.ts';

/** What Prometheus needs the right to, which is no resource. */
export const METRICS_ACCESS = { path: '/metrics', verb: 'get' } as const;

/**
 * Returns the server of the controllers' metrics, under the certificate that the controllers keep. It is to be made
 * before the manager runs, which watches the certificate.
 */
export function metricsEndpoint(
  manager: Pick<Manager, 'client' | 'informer' | 'metrics'>,
  { namespace, logger }: { readonly namespace: string; readonly logger: Logger },
): MetricsServer {
  const access = new TokenAccess(manager.client, METRICS_ACCESS);
  const { registry } = manager.metrics;
  const server = new MetricsServer({ registry, decide: (token) => access.decide(token), logger });
  const watch = new KeyWatch(manager, logger);
  const certificate = watch.object(secrets, { namespace, name: roleCertificates.metrics.secret });
  watch.use('certificate of the metrics', certificate, () => {
    const [secret] = certificate.list();
    if (secret) server.use(keyPairIn(secret));
    return secret !== undefined;
  });
  return server;
}
