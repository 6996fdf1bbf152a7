import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { dataVolumes } from '../../../src/api/data-volume.ts';
import type { Outlook } from '../../../src/controllers/takeover/fate.ts';
import { deployments, namespaces, persistentVolumeClaims } from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { keyOf } from '../../../src/kube/key.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { dataVolumeOfCdi, primeClaimOfCdi, targetClaimOfCdi } from '../../support/cdi/claims.ts';
import { cronJobOfCdi, deploymentOfCdi, webhookOfCdi } from '../../support/cdi/installation.ts';
import { Kubectl } from '../../support/kubectl.ts';
import { productCommand } from '../../support/product-command.ts';

const TEAM = 'team';
const http = { source: { http: { url: 'http://server/disk.img' } } };

describe('diskpress migrate --check, of a real API server with the objects of CDI', function () {
  this.timeout(60_000);
  let server: ApiServer;
  let kubectl: Kubectl;
  let client: KubeClient;

  /** Resolves to the exit code and what was written. */
  async function migrate(...parameters: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const env = { ...process.env, KUBECONFIG: server.kubeConfigPath };
    return promisify(execFile)(process.execPath, [...productCommand, 'migrate', ...parameters], { env }).then(
      (written) => ({ code: 0, ...written }),
      (failure: { code: number; stdout: string; stderr: string }) => failure,
    );
  }

  before(kubernetesIsBuilt);
  before(async () => {
    server = await startApiServer();
    kubectl = await Kubectl.create(server.kubeConfigPath);
    client = new KubeClient(server.kubeConfig());
    await kubectl.run('apply', '-k', join(import.meta.dirname, '../../../crds'));
    await kubectl.run('wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all');
    for (const name of [TEAM, 'cdi']) await client.create(namespaces, { metadata: { name } });
    for (const [name, phase] of [
      ['done', 'Succeeded'],
      ['half', 'ImportInProgress'],
    ] as const) {
      const made = await client.create(dataVolumes, dataVolumeOfCdi({ namespace: TEAM, name }, http));
      await client.applyStatus(
        dataVolumes,
        { ...made, metadata: keyOf(made), status: { phase } },
        { fieldManager: 'cdi' },
      );
      const target = await client.create(persistentVolumeClaims, targetClaimOfCdi(made, 'Import', 'csi'));
      if (name === 'half') await client.create(persistentVolumeClaims, primeClaimOfCdi(target, {}));
    }
    for (const object of [
      deploymentOfCdi('cdi-operator', 'cdi-operator'),
      webhookOfCdi('Validating', 'cdi-api-datavolume-validate', 'datavolumes'),
      cronJobOfCdi('fedora'),
    ]) {
      await kubectl.apply(object);
    }
  });
  after(async () => {
    await client?.close();
    await kubectl?.remove();
    await server?.stop();
  });

  it('says what becomes of each, changes none, and exits with 1 while something is blocked', async () => {
    const versions = async () =>
      (await client.list(persistentVolumeClaims)).map(({ metadata }) => metadata?.resourceVersion);
    const before = await versions();
    const { code, stdout } = await migrate('--check');
    expect(stdout).to.match(/^blocked +CronJob cdi\/fedora-8fb2f9d2: .*delete it$/m);
    expect(stdout).to.match(/^blocked +Deployment cdi\/cdi-operator: .*--replicas=0$/m);
    expect(stdout).to.match(/^blocked +ValidatingWebhookConfiguration cdi-api-datavolume-validate: /m);
    expect(stdout).to.match(/^goes on +DataVolume team\/half: /m);
    expect(stdout).to.match(/^kept +DataVolume team\/done: has its data$/m);
    expect(stdout).to.match(/\n\n\d+ kept, 1 goes on, 0 starts again, 3 blocked\. Do what [^\n]*\n$/);
    expect(code).to.equal(1);
    expect(await versions()).to.deep.equal(before);
  });

  it('exits with 0 once all of that is done, also as JSON', async () => {
    await client.mergePatch(
      deployments,
      { namespace: 'cdi', name: 'cdi-operator' },
      {
        spec: { replicas: 0 },
      },
    );
    await kubectl.run('delete', 'validatingwebhookconfiguration', 'cdi-api-datavolume-validate');
    await kubectl.run('-n', 'cdi', 'delete', 'cronjob', 'fedora-8fb2f9d2');
    const { code, stdout } = await migrate('--check', '-o', 'json');
    const answer = JSON.parse(stdout) as { ready: boolean; summary: Record<string, number>; objects: Outlook[] };
    expect(answer.ready).to.equal(true);
    expect(answer.summary).to.include({ 'goes on': 1, 'starts again': 0, blocked: 0 });
    expect(answer.objects.find(({ name }) => name === 'cdi-operator')?.fate).to.equal('kept');
    expect(code).to.equal(0);
  });

  it('wants to be told that it is to look only', async () => {
    const { code, stderr } = await migrate();
    expect(stderr).to.include("required option '--check' not specified");
    expect(code).to.equal(1);
  });
});
