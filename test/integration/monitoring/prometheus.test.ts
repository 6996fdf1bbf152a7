import { join } from 'node:path';
import { execPath } from 'node:process';
import { storageClasses } from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { type ProgressServer, serveProgress } from '../../../src/pods/progress-server.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { spawnBound } from '../../support/bound-child.ts';
import { METRICS_SERVER_NAME, metricsAuthority } from '../../support/controller-metrics.ts';
import { deployFolder } from '../../support/deployed.ts';
import { eventually } from '../../support/eventually.ts';
import { Kubectl } from '../../support/kubectl.ts';
import { freePorts } from '../../support/ports.ts';
import { productCommand } from '../../support/product-command.ts';
import { Prometheus } from '../../support/prometheus.ts';
import { queries } from './dashboard.ts';
import { ruleFile, rules } from './rules.ts';

/** Panels that have nothing to show where nothing has been imported, cloned or polled yet. */
const mayBeEmpty = new Set([
  ...['Duration', 'Running', 'Capacity', 'Results', 'Retries', 'Polls', 'Outdated images'],
  'Written by those that have ended',
]);
const isOfPhasesOfClones = (expr: string) => expr.includes('diskpress_clone_phase_duration');

describe('a Prometheus that scrapes the controllers and a transfer pod', function () {
  this.timeout(180_000);
  let api: ApiServer;
  let client: KubeClient;
  let kubectl: Kubectl;
  let pod: ProgressServer;
  let controllers: ReturnType<typeof spawnBound>;
  let prometheus: Prometheus;

  before(kubernetesIsBuilt);
  before(async () => {
    api = await startApiServer({ tokens: { 'prometheus-token': 'prometheus' } });
    client = new KubeClient(api.kubeConfig());
    kubectl = await Kubectl.create(api.kubeConfigPath);
    await kubectl.run('apply', '--server-side', '-k', join(deployFolder, '../crds'));
    await kubectl.applyText('apiVersion: v1\nkind: Namespace\nmetadata: { name: cdi }');
    await kubectl.run('create', 'clusterrole', 'reader', '--verb=get', '--non-resource-url=/metrics');
    await kubectl.run('create', 'clusterrolebinding', 'reader', '--clusterrole=reader', '--user=prometheus');
    await client.create(storageClasses, { metadata: { name: 'standard' }, provisioner: 'storage.example' });
    const [metricsPort, healthPort] = (await freePorts(2)) as [number, number];
    controllers = spawnBound(execPath, [...productCommand, 'controller', '--log-level=error'], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...process.env,
        KUBECONFIG: api.kubeConfigPath,
        TRANSFER_IMAGE: 'localhost/diskpress:none',
        METRICS_PORT: String(metricsPort),
        HEALTH_PORT: String(healthPort),
      },
    });
    const ca = await eventually('the authority is made', () => metricsAuthority({ client }), 60_000);
    const moved = { bytesRead: 1, bytesSkipped: 0, bytesTotal: 2, bytesWritten: 1, bytesPerSecond: 1, percent: 50 };
    const snapshot = () => ({ ...moved, stage: 'converting', secondsLeft: 1, retries: 0, connections: 1 });
    const transfer = { snapshot, phase: () => 'Convert' as const };
    pod = await serveProgress(transfer, 0, 'kubevirt_cdi_import_progress_total');
    const targets = (port: number, labels: object) => JSON.stringify([{ targets: [`127.0.0.1:${port}`], labels }]);
    prometheus = await Prometheus.start(
      {
        token: 'prometheus-token',
        'ca.crt': ca,
        'controllers.json': targets(metricsPort, { pod: 'cdi-deployment-1' }),
        'pods.json': targets(pod.port, { namespace: 'team', pod: 'importer-disk' }),
        'rules.json': JSON.stringify(ruleFile),
      },
      {
        global: { scrape_interval: '1s', evaluation_interval: '1s' },
        rule_files: ['rules.json'],
        scrape_configs: [
          {
            job_name: 'cdi-prometheus-metrics',
            scheme: 'https',
            authorization: { credentials_file: 'token' },
            tls_config: { ca_file: 'ca.crt', server_name: METRICS_SERVER_NAME },
            file_sd_configs: [{ files: ['controllers.json'] }],
          },
          { job_name: 'transfer-pods', file_sd_configs: [{ files: ['pods.json'] }] },
        ],
      },
    );
    await eventually('both are scraped', async () => (await prometheus.query('up == 1')).length === 2, 60_000);
  });
  after(async () => {
    await prometheus?.stop();
    controllers?.kill('SIGKILL');
    await pod?.close();
    await client?.close();
    await kubectl?.remove();
    await api?.stop();
  });

  it('works out every rule', async () => {
    await eventually('every rule has been worked out', async () => {
      const states = await prometheus.rules();
      return states.length === rules.length && states.every(({ health }) => health === 'ok');
    });
    // The first time, nothing had been scraped yet.
    await eventually('the controllers are up by the rule', async () => {
      return (await prometheus.query('cluster:kubevirt_cdi_operator_up:sum == 1')).length;
    });
  });

  for (const { panel, expr } of queries) {
    const isEmpty = mayBeEmpty.has(panel) || isOfPhasesOfClones(expr);
    it(`${isEmpty ? 'answers' : 'has something to show for'} ${panel}: ${expr}`, async () => {
      if (isEmpty) await prometheus.query(expr);
      else await eventually('there is something', async () => (await prometheus.query(expr)).length, 60_000);
    });
  }
});
