import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { V1Deployment } from '@kubernetes/client-node';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { createTransferPod } from '../../../src/controllers/transfers/create-transfer-pod.ts';
import type { Pod } from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { deployFolder, objectIn } from '../../support/deployed.ts';
import { Kubectl } from '../../support/kubectl.ts';
import { rejection } from '../../support/rejection.ts';
import { everyTransferPod, podOf } from '../../support/transfer-pods.ts';

/** As some clusters have it: pods of these classes need a quota that says so in their namespace. */
const limitedClasses = {
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'AdmissionConfiguration',
  plugins: [
    {
      name: 'ResourceQuota',
      configuration: {
        apiVersion: 'apiserver.config.k8s.io/v1',
        kind: 'ResourceQuotaConfiguration',
        limitedResources: [
          {
            resource: 'pods',
            matchScopes: [
              {
                scopeName: 'PriorityClass',
                operator: 'In',
                values: ['system-node-critical', 'system-cluster-critical'],
              },
            ],
          },
        ],
      },
    },
  ],
};

const limitRange = {
  apiVersion: 'v1',
  kind: 'LimitRange',
  metadata: { name: 'limits', namespace: 'team' },
  spec: {
    limits: [
      {
        type: 'Container',
        max: { cpu: '1', memory: '1Gi', 'ephemeral-storage': '512Mi' },
        min: { cpu: '1m', memory: '8Mi', 'ephemeral-storage': '1Mi' },
        maxLimitRequestRatio: { memory: '10', 'ephemeral-storage': '10' },
      },
    ],
  },
};
const quota = {
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'quota', namespace: 'team' },
  spec: {
    hard: {
      'requests.cpu': '1',
      'limits.cpu': '8',
      'requests.memory': '1Gi',
      'limits.memory': '8Gi',
      'requests.ephemeral-storage': '256Mi',
      'limits.ephemeral-storage': '4Gi',
    },
  },
};

const processorLimits = ({ spec }: Pod) => spec?.containers.map(({ resources }) => resources?.limits?.['cpu']);

describe('the admission of pods', function () {
  this.timeout(60_000);
  let folder: string;
  let server: ApiServer;
  let kubectl: Kubectl;
  let client: KubeClient;

  before(kubernetesIsBuilt);
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pod-admission-'));
    const path = join(folder, 'admission.yaml');
    await writeFile(path, stringify(limitedClasses));
    server = await startApiServer({ args: [`--admission-control-config-file=${path}`] });
    kubectl = await Kubectl.create(server.kubeConfigPath);
    client = new KubeClient(server.kubeConfig());
  });
  after(async () => {
    await client?.close();
    await kubectl?.remove();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Does what the controller of quotas would, which does not run here: says that nothing is used yet. */
  async function settleQuota(namespace: string, name: string): Promise<void> {
    const { spec } = JSON.parse(await kubectl.run('-n', namespace, 'get', 'quota', name, '-o', 'json')) as typeof quota;
    const used = Object.fromEntries(Object.keys(spec.hard).map((key) => [key, '0']));
    const patch = JSON.stringify({ status: { hard: spec.hard, used } });
    await kubectl.run('-n', namespace, 'patch', 'quota', name, '--subresource=status', '--type=merge', '-p', patch);
  }

  it('takes every transfer pod where limits and quotas are set on all resources', async () => {
    await kubectl.run('create', 'namespace', 'team');
    await kubectl.run('label', 'namespace', 'team', 'pod-security.kubernetes.io/enforce=restricted');
    await kubectl.apply(limitRange);
    await kubectl.apply(quota);
    await settleQuota('team', 'quota');
    const tooLarge = podOf('importer', 'too-large');
    const [container] = tooLarge.spec?.containers ?? [];
    if (container) container.resources = { limits: { cpu: '1', memory: '1Gi', 'ephemeral-storage': '2Gi' } };
    expect(await kubectl.refusal(tooLarge)).to.include('maximum ephemeral-storage usage per Container is 512Mi');
    for (const pod of Object.values(everyTransferPod)) {
      const made = await createTransferPod(client, pod);
      expect(processorLimits(made), made.metadata?.name).to.include('750m').but.not.include('2');
    }
  });

  it('gives a transfer pod the processors that a quota leaves, and otherwise two', async () => {
    await kubectl.run('create', 'namespace', 'tight');
    await kubectl.apply({
      ...quota,
      metadata: { name: 'processors', namespace: 'tight' },
      spec: { hard: { 'limits.cpu': '1' } },
    });
    await settleQuota('tight', 'processors');
    await kubectl.run('create', 'namespace', 'roomy');
    const importerIn = (namespace: string): Pod => {
      const pod = podOf('importer');
      return { ...pod, metadata: { ...pod.metadata, namespace } };
    };
    expect(processorLimits(await createTransferPod(client, importerIn('tight')))).to.deep.equal(['750m']);
    expect(processorLimits(await createTransferPod(client, importerIn('roomy')))).to.deep.equal(['2']);
    const another = importerIn('tight');
    const refused = await rejection(
      createTransferPod(client, { ...another, metadata: { ...another.metadata, name: 'another' } }),
    );
    expect(refused).to.have.property('reason', 'ErrExceededQuota');
  });

  it("takes the controllers' pod where critical ones are limited, and only there", async () => {
    await kubectl.run('apply', '-k', join(deployFolder, 'base'));
    await settleQuota('cdi', 'cdi-critical-pods');
    const { spec } = objectIn<V1Deployment>('base/controller.yaml', 'Deployment');
    const podIn = (namespace: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...spec?.template.metadata, name: 'controller', namespace },
      spec: spec?.template.spec,
    });
    await kubectl.run('create', 'namespace', 'elsewhere');
    expect(await kubectl.refusal(podIn('elsewhere'))).to.include('insufficient quota to match these scopes');
    await kubectl.apply(podIn('cdi'));
  });

  it('knows the NetworkPolicies, of controllers and of transfer pods', async () => {
    await kubectl.run('apply', '-f', join(deployFolder, 'base/namespace.yaml'));
    await kubectl.run('create', 'namespace', 'guarded');
    const folderOfPolicies = join(deployFolder, 'network-policies');
    await kubectl.run('apply', '-f', join(folderOfPolicies, 'controller.yaml'));
    await kubectl.run('apply', '-n', 'guarded', '-f', join(folderOfPolicies, 'transfer-pods.yaml'));
    const names = await kubectl.run('get', 'networkpolicies', '-A', '-o', 'name');
    expect(names.split('\n')).to.have.lengthOf(5);
  });
});
