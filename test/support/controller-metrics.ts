import { configMaps, pods } from '../../src/kube/builtin-resources.ts';
import { BUNDLE_KEY, bundleName, roleCertificates } from '../../src/protocol/installation.ts';
import { deployFolder } from './deployed.ts';
import { type Environment, productNamespace } from './environment.ts';
import { withForwardedPort } from './port-forward.ts';
import { scrape } from './scrape.ts';

export const METRICS_PORT = 8443;
/** The name that the certificate of the metrics has. */
export const METRICS_SERVER_NAME = `${roleCertificates.metrics.service}.${productNamespace}.svc`;

/** Gives the ServiceAccount for Prometheus its right, and returns a token of it. */
export async function metricsToken({ kubectl }: Pick<Environment, 'kubectl'>): Promise<string> {
  await kubectl.run('apply', '--server-side', '-f', `${deployFolder}/monitoring/rbac.yaml`);
  return (await kubectl.run('create', 'token', 'cdi-prometheus', '--namespace', productNamespace)).trim();
}

/** The authority of the certificate, PEM. */
export async function metricsAuthority({ client }: Pick<Environment, 'client'>): Promise<string> {
  const bundle = await client.get(configMaps, { namespace: productNamespace, name: bundleName('metrics') });
  const pem = bundle?.data?.[BUNDLE_KEY];
  if (!pem) throw new Error(`ConfigMap ${bundleName('metrics')} has no ${BUNDLE_KEY}`);
  return pem;
}

/** The metrics of the controllers as Prometheus would read them, from one of their pods. */
export async function readControllerMetrics(environment: Environment): Promise<string> {
  const { client, kubeConfigPath } = environment;
  const found = await client.list(pods, {
    namespace: productNamespace,
    labelSelector: 'cdi.kubevirt.io=cdi-deployment',
  });
  const pod = found.find(({ metadata }) => !metadata?.deletionTimestamp);
  const [token, ca] = [await metricsToken(environment), await metricsAuthority(environment)];
  const { status, text } = await withForwardedPort(
    kubeConfigPath,
    { namespace: productNamespace, name: `pod/${pod?.metadata?.name}`, port: METRICS_PORT },
    (port) => scrape({ port, token, ca, serverName: METRICS_SERVER_NAME }),
  );
  if (status !== 200) throw new Error(`the metrics of the controllers are refused with ${status}: ${text}`);
  return text;
}
