import { expect } from 'chai';
import { dataVolumes } from '../../src/api/data-volume.ts';
import { leases, persistentVolumeClaims, pods } from '../../src/kube/builtin-resources.ts';
import { primeClaimName, uploadPodName } from '../../src/protocol/object-names.ts';
import { PROGRESS_PORT } from '../../src/protocol/transfer-pod.ts';
import { queries } from '../integration/monitoring/dashboard.ts';
import { ruleFile, rules } from '../integration/monitoring/rules.ts';
import { METRICS_PORT, METRICS_SERVER_NAME, metricsAuthority, metricsToken } from '../support/controller-metrics.ts';
import { dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { productNamespace } from '../support/environment.ts';
import { eventually } from '../support/eventually.ts';
import { withForwardedPort } from '../support/port-forward.ts';
import { Prometheus } from '../support/prometheus.ts';
import { until } from '../support/until.ts';
import { useSuite } from './support/suite.ts';

/** Panels whose queries have nothing to show in a cluster in which that has not happened yet. */
const mayBeEmpty = new Set([
  ...['Duration', 'Phases', 'Running', 'Capacity', 'Retries', 'Polls', 'Outdated images'],
  'Written by those that have ended',
]);

describe('a Prometheus that scrapes the installation', function () {
  this.timeout(180_000);
  const suite = useSuite();

  /** The pod of the controllers that leads. */
  async function leader(): Promise<string> {
    const key = { namespace: productNamespace, name: 'cdi-controller-leader-election-helper' };
    const lease = await suite.client.get(leases, key);
    return lease?.spec?.holderIdentity ?? '';
  }

  /** The pod that waits for an upload. */
  async function uploadServer(): Promise<string> {
    const key = suite.key('upload');
    const storage = { storageClassName: suite.classes.standard };
    await suite.client.create(dataVolumes, dataVolume(key, { upload: {} }, storage));
    await until(suite.client, dataVolumes, key, 'it waits', (found) => found?.status?.phase === 'UploadReady');
    const claim = await suite.client.get(persistentVolumeClaims, key);
    const name = uploadPodName(primeClaimName(claim?.metadata?.uid ?? ''));
    expect(await suite.client.get(pods, { ...key, name })).to.be.an('object');
    return name;
  }

  it('has something to show for every query of the dashboard, and can work out every rule', async () => {
    const blank = suite.key('blank');
    const storage = { storageClassName: suite.classes.standard };
    await suite.client.create(dataVolumes, dataVolume(blank, { blank: {} }, storage));
    const [pod] = await Promise.all([uploadServer(), untilSucceeded(suite.client, blank)]);
    const controller = { namespace: productNamespace, name: `pod/${await leader()}`, port: METRICS_PORT };
    const transfer = { namespace: suite.namespace, name: `pod/${pod}`, port: PROGRESS_PORT };
    const files = { token: await metricsToken(suite), 'ca.crt': await metricsAuthority(suite) };
    await withForwardedPort(suite.kubeConfigPath, controller, (controllerPort) =>
      withForwardedPort(suite.kubeConfigPath, transfer, async (transferPort) => {
        const targets = (port: string, labels: object) => JSON.stringify([{ targets: [`127.0.0.1:${port}`], labels }]);
        const prometheus = await Prometheus.start(
          {
            ...files,
            'controllers.json': targets(controllerPort, { pod: controller.name }),
            'pods.json': targets(transferPort, { namespace: suite.namespace, pod }),
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
        try {
          await eventually('both are scraped', async () => (await prometheus.query('up == 1')).length === 2, 60_000);
          await eventually('every rule has been worked out', async () => {
            const states = await prometheus.rules();
            expect(states.filter(({ health }) => health === 'err')).to.be.empty;
            return states.length === rules.length && states.every(({ health }) => health === 'ok');
          });
          for (const { panel, expr } of queries) {
            if (mayBeEmpty.has(panel)) await prometheus.query(expr);
            else await eventually(`${panel} has something: ${expr}`, async () => (await prometheus.query(expr)).length);
          }
          for (const expr of ['kubevirt_cdi_cr_ready == 1', 'cluster:kubevirt_cdi_operator_up:sum == 1'])
            await eventually(expr, async () => (await prometheus.query(expr)).length);
        } finally {
          await prometheus.stop();
        }
      }),
    );
  });
});
