import { KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import { cdis } from '../../src/api/cdi.ts';
import { dataVolumes } from '../../src/api/data-volume.ts';
import { leases, namespaces, persistentVolumeClaims, pods } from '../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { CONTROLLERS_LEASE } from '../../src/protocol/installation.ts';
import { clusterName } from '../cluster/identity.ts';
import { buildProductImage } from '../cluster/image.ts';
import { down, helmBinary, installPrerequisites, up } from '../cluster/index.ts';
import { dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { eventually } from '../support/eventually.ts';
import { Kubectl } from '../support/kubectl.ts';
import { until } from '../support/until.ts';
import { Release } from './helm/release.ts';

const log = (line: string) => console.log(`    ${line}`);

/** Not the one that the manifests are written for. */
const NAMESPACE = 'disks';
const USERS = 'users';
const COLUMN = 'Renamed';
const REPLICAS = '--output=jsonpath={.spec.replicas}';
/** They come and go by themselves. */
const PASSING = /^(events|leases|endpointslices|componentstatuses)/;
/** What a release leaves to its users. */
const LEFT = /^(CustomResourceDefinition|APIService) .*\.cdi\.kubevirt\.io$/;

describe('a release of the Helm chart', function () {
  this.timeout(300_000);
  const name = `${clusterName()}-helm`;
  let client!: KubeClient;
  let kubectl!: Kubectl;
  let release!: Release;
  let atFirst: string[] = [];
  const made = { namespace: USERS, name: 'made' };
  const uploaded = { namespace: USERS, name: 'uploaded' };

  before(async function () {
    this.timeout(0);
    if (process.env.KUBECONFIG) this.skip();
    await installPrerequisites(log);
    await helmBinary({ log });
    const { kubeconfig } = await up({ name, nodes: 1, log });
    await buildProductImage(log, name);
    kubectl = await Kubectl.create(kubeconfig);
    release = await Release.create(kubeconfig, NAMESPACE);
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(kubeconfig);
    client = new KubeClient(kubeConfig, { userAgent: 'diskpress-test' });
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await client.create(namespaces, { metadata: { name: NAMESPACE, labels } });
    await client.create(namespaces, { metadata: { name: USERS } });
    atFirst = await everything();
  });

  after(async () => {
    await release?.remove();
    await kubectl?.remove();
    await client?.close();
    if (!process.env.KUBECONFIG) await down(log, name);
  });

  it('consists of objects that the API server knows, with every field', async () => {
    const answer = await kubectl.dryRun(await release.manifests());
    expect(answer).to.contain('deployment.apps/cdi-deployment');
  });

  it('is installed in any namespace, one that enforces restricted pods too, with its settings', async () => {
    await release.install({ cdi: { spec: { config: { insecureRegistries: ['registry.local:5000'] } } } });
    const cdi = await client.get(cdis, { namespace: '', name: 'cdi' });
    expect(cdi?.spec.config).to.deep.include({ insecureRegistries: ['registry.local:5000'] });
    expect(await release.test()).to.contain('a DataVolume would be accepted: yes');
  });

  it('makes disks', async () => {
    await client.create(dataVolumes, dataVolume(made, { blank: {} }, { storageClassName: 'diskpress', size: '16Mi' }));
    await client.create(
      dataVolumes,
      dataVolume(uploaded, { upload: {} }, { storageClassName: 'diskpress', size: '16Mi' }),
    );
    await untilSucceeded(client, made);
    await until(client, dataVolumes, uploaded, 'it can be uploaded to', (found) => {
      return found?.status?.phase === 'UploadReady';
    });
  });

  it('has another controller that leads when one is gone', async () => {
    const lease = { namespace: NAMESPACE, name: CONTROLLERS_LEASE };
    const leader = (await client.get(leases, lease))?.spec?.holderIdentity ?? '';
    await client.delete(pods, { namespace: NAMESPACE, name: leader }, { gracePeriodSeconds: 0 });
    await until(client, leases, lease, 'another one leads', (found) => {
      const holder = found?.spec?.holderIdentity;
      return holder && holder !== leader;
    });
  });

  it('is upgraded, with its CRDs, also where somebody else has changed a field', async () => {
    await kubectl.run('--namespace', NAMESPACE, 'scale', 'deployment/cdi-uploadproxy', '--replicas=1');
    await release.change('templates/crds/cdi.kubevirt.io_datasources.yaml', '- name: Age', `- name: ${COLUMN}`);
    const spec = { config: { preallocation: true }, uninstallStrategy: 'BlockUninstallIfWorkloadsExist' };
    const values = { networkPolicies: { enabled: true }, cdi: { spec } };
    await release.upgrade(values, '--force-conflicts');
    const proxy = await kubectl.run('--namespace', NAMESPACE, 'get', 'deployment/cdi-uploadproxy', REPLICAS);
    expect(proxy).to.equal('2');
    expect(await kubectl.run('--namespace', NAMESPACE, 'get', 'networkpolicies', '--output=name')).to.contain('cdi-');
    expect(await kubectl.run('get', 'crd', 'datasources.cdi.kubevirt.io', '--output=yaml')).to.contain(COLUMN);
    const config = (await client.get(cdis, { namespace: '', name: 'cdi' }))?.spec.config;
    expect(config).to.include({ preallocation: true });
    // What the settings no longer have is as it was before them.
    expect(config).not.to.have.property('insecureRegistries');
    expect((await client.get(dataVolumes, made))?.status?.phase).to.equal('Succeeded');
  });

  it('stays while its settings are against its removal, and says why', async () => {
    const refusal = await eventually(
      'the controllers have seen what is in the way',
      async () => {
        const failure = await kubectl.told('delete', 'cdi', 'cdi', '--dry-run=server');
        return failure.includes(made.name) ? failure : undefined;
      },
      60_000,
      300,
    );
    expect(refusal).to.contain('uninstall.cdi.kubevirt.io');
    const removal = await release.uninstall().then(
      () => 'it was removed',
      (error: Error) => error.message,
    );
    expect(removal).to.contain(made.name);
    const patch = { spec: { uninstallStrategy: 'RemoveWorkloads' } };
    await kubectl.run('patch', 'cdi', 'cdi', '--type=merge', '--patch', JSON.stringify(patch));
    await kubectl.run('--namespace', NAMESPACE, 'rollout', 'status', 'deployment/cdi-deployment', '--timeout=60s');
  });

  it('leaves claims, their objects and the definitions, and nothing else', async () => {
    await release.uninstall();
    await eventually(
      'nothing of the release is left',
      async () => {
        const left = (await everything()).filter((object) => !atFirst.includes(object) && !LEFT.test(object));
        if (left.length > 0) throw new Error(left.join(', '));
        return true;
      },
      120_000,
      1000,
    );
    expect((await client.get(persistentVolumeClaims, made))?.status?.phase).to.equal('Bound');
    expect(await client.list(dataVolumes, { namespace: USERS })).to.have.lengthOf(2);
  });

  it('leaves nothing that cannot be deleted', async () => {
    for (const key of [made, uploaded]) {
      await client.delete(dataVolumes, key);
      await until(client, persistentVolumeClaims, key, 'its claim is gone', (found) => found === undefined);
    }
  });

  /** Every object of the cluster but those of users, and what is made for these, as `Kind namespace name`. */
  async function everything(): Promise<string[]> {
    const resources = (await kubectl.run('api-resources', '--verbs=list', '--output=name')).split('\n');
    const lasting = resources.filter((resource) => !PASSING.test(resource)).join(',');
    const columns = '--output=custom-columns=KIND:.kind,NAMESPACE:.metadata.namespace,NAME:.metadata.name';
    const text = await kubectl.run('get', lasting, '--all-namespaces', '--no-headers', columns);
    const objects = text.split('\n').map((line) => line.split(/ +/).join(' '));
    return objects.filter((object) => !object.includes(` ${USERS} `) && !/^(PersistentVolume|IPAddress) /.test(object));
  }
});
