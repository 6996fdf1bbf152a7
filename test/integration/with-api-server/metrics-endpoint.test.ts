import { expect } from 'chai';
import { metricsEndpoint } from '../../../src/controllers/monitoring/metrics-endpoint.ts';
import { type Secret, secrets } from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { Manager } from '../../../src/kube/manager.ts';
import { roleCertificates } from '../../../src/protocol/installation.ts';
import { createAuthority, issueCertificate } from '../../../src/server/certificates.ts';
import type { MetricsServer } from '../../../src/server/metrics-server.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { METRICS_SERVER_NAME } from '../../support/controller-metrics.ts';
import { objectsIn } from '../../support/deployed.ts';
import { eventually } from '../../support/eventually.ts';
import { Kubectl } from '../../support/kubectl.ts';
import { collectingLogger } from '../../support/logger.ts';
import { rejection } from '../../support/rejection.ts';
import { scrape } from '../../support/scrape.ts';

const lifetime = 3_600_000;
const key = { namespace: 'cdi', name: roleCertificates.metrics.secret };

describe('the metrics of the controllers, in a real API server', function () {
  this.timeout(60_000);
  const ending = new AbortController();
  const log = collectingLogger();
  let api: ApiServer;
  let client: KubeClient;
  let kubectl: Kubectl;
  let server: MetricsServer;
  let running: Promise<unknown>;
  let port: number;

  before(kubernetesIsBuilt);
  before(async () => {
    api = await startApiServer({ tokens: { 'reader-token': 'reader', 'other-token': 'other' } });
    client = new KubeClient(api.kubeConfig());
    kubectl = await Kubectl.create(api.kubeConfigPath);
    await kubectl.applyText('apiVersion: v1\nkind: Namespace\nmetadata: { name: cdi }');
    for (const object of [...objectsIn('base/rbac.yaml'), ...objectsIn('monitoring/rbac.yaml')])
      if (object.kind !== 'ServiceAccount' && object.metadata?.namespace !== 'monitoring') await kubectl.apply(object);
    await kubectl.run('create', 'clusterrolebinding', 'reader', '--clusterrole=cdi-metrics-reader', '--user=reader');
    // The rights of the controllers are all that is needed.
    const { logger } = log;
    const manager = new Manager({ kubeConfig: api.kubeConfig({ token: api.controllersToken }), logger });
    server = metricsEndpoint(manager, { namespace: key.namespace, logger });
    port = await server.listen(0, '127.0.0.1');
    running = manager.run(ending.signal);
  });
  after(async () => {
    ending.abort();
    await running;
    await server?.close();
    await client?.close();
    await kubectl?.remove();
    await api?.stop();
  });

  /** Has a certificate of a new authority taken into use. Returns the authority's. */
  async function certify(): Promise<string> {
    const authority = await createAuthority('authority', { lifetime });
    const subject = { commonName: 'metrics', usage: 'server', names: [METRICS_SERVER_NAME] } as const;
    const { certificate, key: privateKey } = await issueCertificate(authority, subject, { lifetime });
    await write({ 'tls.crt': certificate, 'tls.key': privateKey });
    return authority.certificate;
  }

  async function write(stringData: Record<string, string>): Promise<void> {
    const secret: Secret = { metadata: key, type: 'kubernetes.io/tls', stringData };
    await client.apply(secrets, secret, { fieldManager: 'test' });
  }

  const read = (ca: string, token?: string, path?: string) =>
    scrape({ port, ca, serverName: METRICS_SERVER_NAME, ...(token && { token }), ...(path && { path }) });

  it('are served by https alone, and under no certificate but that of the installation', async () => {
    expect(await rejection(scrape({ port }))).to.be.an('error');
    const ca = await certify();
    await eventually('the certificate is in use', () => read(ca).catch(() => undefined));
    const [{ certificate: stranger }] = [await createAuthority('stranger', { lifetime })];
    expect(await rejection(read(stranger))).to.be.an('error');
  });

  it('are for those alone who show a token and may get them', async () => {
    const ca = await certify();
    await eventually('the certificate is in use', () => read(ca).catch(() => undefined));
    const allowed = await read(ca, 'reader-token');
    expect(allowed.status, allowed.text).to.equal(200);
    expect(allowed.text).to.contain('process_cpu_seconds_total').and.not.contain('nodejs_active_handles_total');
    for (const [token, status, text] of [
      [undefined, 401, 'Authorization: Bearer'],
      ['no-token', 401, 'Authorization: Bearer'],
      ['other-token', 403, 'cdi-metrics-reader'],
    ] as const) {
      const refused = await read(ca, token);
      expect(refused.status, token).to.equal(status);
      expect(refused.text).to.contain(text);
    }
    expect((await read(ca, 'reader-token', '/healthz')).status).to.equal(404);
    expect(JSON.stringify(log.lines)).not.to.contain('-token"');
  });

  it('are served under a new certificate at once, and under the one before where the new one is damaged', async () => {
    const ca = await certify();
    await eventually('the new one is in use', () => read(ca, 'reader-token').catch(() => undefined));
    await write({ 'tls.crt': 'damaged', 'tls.key': 'damaged' });
    await eventually('it is said', () => JSON.stringify(log.lines).includes('cannot be used'));
    expect((await read(ca, 'reader-token')).status).to.equal(200);
  });
});
