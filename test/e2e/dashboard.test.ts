import { expect } from 'chai';
import { Agent, request } from 'undici';
import { stringify } from 'yaml';
import { dataVolumes } from '../../src/api/data-volume.ts';
import { configMaps } from '../../src/kube/builtin-resources.ts';
import { BUNDLE_KEY, bundleName, roleCertificates } from '../../src/protocol/installation.ts';
import { dataVolume } from '../support/data-volumes.ts';
import { objectsIn } from '../support/deployed.ts';
import { productNamespace } from '../support/environment.ts';
import { eventually } from '../support/eventually.ts';
import { withForwardedPort } from '../support/port-forward.ts';
import { useSuite } from './support/suite.ts';

const TENANT = 'tenant';
const { service } = roleCertificates.dashboard;

describe('the dashboard in the cluster', function () {
  this.timeout(180_000);
  const suite = useSuite();
  let elsewhere: string;
  let manifests: string;

  before('a server of it, and a tenant', async () => {
    manifests = objectsIn('dashboard/dashboard.yaml')
      .map((object) => stringify(object))
      .join('---\n')
      .replace('image: diskpress', `image: ${suite.image}`);
    await suite.kubectl.applyText(manifests);
    elsewhere = await suite.newNamespace();
    for (const [namespace, name] of [
      [suite.namespace, 'own-disk'],
      [elsewhere, 'other-disk'],
    ] as const) {
      await suite.client.create(dataVolumes, dataVolume({ namespace, name }, { blank: {} }));
    }
    const { kubectl, namespace } = suite;
    await kubectl.run('create', 'serviceaccount', TENANT, '-n', namespace);
    const subject = `--serviceaccount=${namespace}:${TENANT}`;
    await kubectl.run('create', 'rolebinding', TENANT, '-n', namespace, '--clusterrole=view', subject);
    await kubectl.run('rollout', 'status', `deployment/${service}`, '-n', productNamespace, '--timeout=150s');
  });
  after('remove it', async () => {
    const names = objectsIn('dashboard/dashboard.yaml').map(({ kind = '', metadata }) => `${kind}/${metadata?.name}`);
    await suite.kubectl.run('delete', '-n', productNamespace, '--ignore-not-found', ...names);
  });

  it("shows a tenant its own disks, by its ServiceAccount's token and with a certificate that can be trusted", async () => {
    const token = (await suite.kubectl.run('create', 'token', TENANT, '-n', suite.namespace)).trim();
    const bundle = await suite.client.get(configMaps, {
      namespace: productNamespace,
      name: bundleName(roleCertificates.dashboard.signer),
    });
    const connect = { ca: bundle?.data?.[BUNDLE_KEY] ?? '', servername: `${service}.${productNamespace}.svc` };
    const agent = new Agent({ connect });
    try {
      const to = { namespace: productNamespace, name: `service/${service}`, port: 443 };
      await withForwardedPort(suite.kubeConfigPath, to, async (port) => {
        const get = async (headers: Record<string, string>) => {
          const { statusCode, body } = await request(`https://127.0.0.1:${port}/`, { dispatcher: agent, headers });
          return { status: statusCode, text: await body.text() };
        };
        expect((await get({})).status).to.equal(401);
        const text = await eventually('its disk is shown', async () => {
          const page = await get({ authorization: `Bearer ${token}` });
          return page.text.includes('own-disk') && page.text;
        });
        expect(text).not.to.contain('other-disk').and.not.to.contain(elsewhere);
      });
    } finally {
      await agent.destroy();
    }
  });
});
