import { join } from 'node:path';
import { expect } from 'chai';
import { type CDI, cdis } from '../../../src/api/cdi.ts';
import { dataVolumes } from '../../../src/api/data-volume.ts';
import { CDI_API_VERSION } from '../../../src/api/group.ts';
import { cdi as cdiController } from '../../../src/controllers/cdi/setup.ts';
import { createContext } from '../../../src/controllers/create-context.ts';
import { type Deployment, deployments, services } from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { toError } from '../../../src/kube/errors.ts';
import { Manager } from '../../../src/kube/manager.ts';
import type { Configuration } from '../../../src/kube/on-wire.ts';
import { csiParts } from '../../cluster/index.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import { Kubectl } from '../../support/kubectl.ts';
import { silentLogger } from '../../support/logger.ts';
import { rejection } from '../../support/rejection.ts';
import { until } from '../../support/until.ts';

const root = join(import.meta.dirname, '../../..');
const CDI_KEY = { namespace: '', name: 'cdi' };
const CONTROLLERS = 'system:serviceaccount:cdi:cdi-sa';
const RECORD = 'cdi.kubevirt.io/customization';

const key = (name: string) => ({ namespace: 'cdi', name });
const patchOf = (type: string, patch: object, resourceName = 'cdi-apiserver', resourceType = 'Deployment') => ({
  resourceType,
  resourceName,
  type,
  patch: JSON.stringify(patch),
});
const inContainer = (container: object) => ({
  spec: { template: { spec: { containers: [{ name: 'cdi-apiserver', ...container }] } } },
});

describe('what the CDI object says of the installation, in a real API server', function () {
  this.timeout(60_000);
  let server: ApiServer;
  let client: KubeClient;
  let kubectl: Kubectl;
  let running: Promise<unknown>;
  let original: Deployment;
  const ending = new AbortController();

  before(kubernetesIsBuilt);
  before(async function () {
    this.timeout(180_000);
    const { snapshotCrds } = await csiParts();
    server = await startApiServer();
    client = new KubeClient(server.kubeConfig());
    kubectl = await Kubectl.create(server.kubeConfigPath);
    await kubectl.run('apply', '-k', join(root, 'crds'));
    for (const file of snapshotCrds) await kubectl.run('apply', '-f', file);
    await kubectl.run('wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all');
    await kubectl.run('create', 'namespace', 'cdi');
    for (const file of ['rbac', 'controller', 'apiserver', 'upload-proxy'])
      await kubectl.run('apply', '-f', join(root, `deploy/base/${file}.yaml`));
    await kubectl.run('apply', '-k', join(root, 'deploy/admission'));
    original = await found();
    const kubeConfig = server.kubeConfig({ token: server.controllersToken });
    const manager = new Manager({ kubeConfig, logger: silentLogger() });
    cdiController.setup(manager, createContext(manager, { image: 'image', namespace: 'cdi', version: 'test' }));
    const simulation = new Manager({ kubeConfig: server.kubeConfig(), logger: silentLogger() });
    simulation.informer(deployments, { namespace: 'cdi' }).onChange(({ object }) => void tellSeen(object));
    running = Promise.all([manager.run(ending.signal), simulation.run(ending.signal)]);
    await untilStatus('it is told', ({ phase }) => phase === 'Deploying');
    await eventually('the policies are in force', async () => {
      const attempt = kubectl.run(
        'delete',
        'deployment',
        'cdi-apiserver',
        '-n',
        'cdi',
        '--as',
        CONTROLLERS,
        '--dry-run=server',
      );
      return toError(await rejection(attempt)).message.length > 0;
    });
  });
  after(async () => {
    ending.abort();
    await running;
    await client?.close();
    await kubectl?.remove();
    await server?.stop();
  });
  afterEach('nothing is asked for, and the manifest is given back', async () => {
    await configure({});
    await until(
      client,
      deployments,
      key('cdi-apiserver'),
      'it is plain',
      (each) => !each?.metadata?.annotations?.[RECORD],
    );
    expect((await found()).spec).to.deep.equal(original.spec);
  });

  /** What the controller of Deployments writes whenever one has changed. */
  async function tellSeen({ metadata, status }: Deployment): Promise<void> {
    const { generation, name = '' } = metadata ?? {};
    if (generation === status?.observedGeneration) return;
    const seen = { status: { observedGeneration: generation } } as Configuration<Deployment>;
    await client.mergePatch(deployments, key(name), seen, { subresource: 'status' }).catch(() => undefined);
  }

  async function found(): Promise<Deployment> {
    const deployment = await client.get(deployments, key('cdi-apiserver'));
    if (!deployment) throw new Error('cdi-apiserver is missing');
    return deployment;
  }
  const configure = (spec: CDI['spec']) =>
    eventually('the CDI object is written', async () => {
      const current = await client.get(cdis, CDI_KEY);
      if (!current) return false;
      await client.update(cdis, { ...current, spec });
      return true;
    });
  const untilStatus = (what: string, test: (status: NonNullable<CDI['status']>) => boolean) =>
    until(client, cdis, CDI_KEY, what, (cdi) => cdi?.status && test(cdi.status) && cdi);
  const untilDeployment = (what: string, test: (deployment: Deployment) => boolean) =>
    until(client, deployments, key('cdi-apiserver'), what, (each) => each && test(each) && each);
  const degradedBy = (status: CDI['status']) =>
    status?.conditions?.find(({ type, status: value }) => type === 'Degraded' && value === 'True')?.message;

  it('is done by patches of all three types, once, and again after somebody has applied the manifest', async () => {
    await configure({
      infra: { apiServerReplicas: 3 },
      customizeComponents: {
        patches: [
          patchOf('json', [{ op: 'add', path: '/spec/template/spec/containers/0/args/-', value: '--v=2' }]),
          patchOf('strategic', inContainer({ env: [{ name: 'EXTRA', value: 'yes' }] })),
          patchOf('merge', { spec: { template: { metadata: { annotations: { team: 'storage' } } } } }),
          patchOf('merge', { metadata: { labels: { team: 'storage' } } }, '*', 'service'),
        ],
      },
    });
    const isPatched = ({ spec }: Deployment) =>
      spec?.paused === undefined && spec?.template.metadata?.annotations?.['team'] === 'storage';
    const patched = await untilDeployment('it is patched', isPatched);
    const [container] = patched.spec?.template.spec?.containers ?? [];
    expect(patched.spec?.replicas).to.equal(3);
    expect(container?.args).to.deep.equal(['apiserver', '--v=2']);
    expect(container?.env?.map(({ name }) => name)).to.have.members(['POD_NAMESPACE', 'EXTRA']);
    await until(client, services, key('cdi-uploadproxy'), 'it is patched', (each) => each?.metadata?.labels?.['team']);

    await kubectl.run('apply', '-f', join(root, 'deploy/base/apiserver.yaml'));
    const again = await untilDeployment('it is patched again', (each) => isPatched(each) && each.spec?.replicas === 3);
    expect(again.spec).to.deep.equal(patched.spec);
  });

  it('is told of what the API server and the policies refuse, and done without', async () => {
    await configure({
      priorityClass: 'important',
      customizeComponents: {
        patches: [
          patchOf('strategic', { spec: { template: { spec: { serviceAccountName: 'cdi-sa' } } } }),
          patchOf('strategic', { spec: { template: { spec: { hostNetwork: true } } } }),
          patchOf('strategic', inContainer({ securityContext: { capabilities: { add: ['SYS_ADMIN'] } } })),
          patchOf('json', [{ op: 'remove', path: '/spec/absent' }]),
          patchOf('merge', { spec: { selector: { app: 'database' } } }, 'cdi-api', 'Service'),
          patchOf('merge', { spec: { minReadySeconds: 'many' } }),
          patchOf('merge', { spec: { minReadySeconds: 1 } }),
        ],
      },
    });
    const { status } = await untilStatus('it is Degraded', (each) => degradedBy(each)?.includes('patches[5]') ?? false);
    expect(degradedBy(status))
      .to.match(/patches\[0\]: .*ServiceAccounts of the installation's Deployments stay/)
      .and.match(/patches\[1\]: .*nothing of their nodes/)
      .and.match(/patches\[2\]: .*without privileges/)
      .and.match(/patches\[3\]: /)
      .and.match(/patches\[4\]: .*leave the selector/)
      .and.not.match(/patches\[6\]/);
    const { spec } = await untilDeployment('the rest is done', (each) => each.spec?.minReadySeconds === 1);
    expect(spec?.template.spec).to.include({ priorityClassName: 'important', serviceAccountName: 'cdi-apiserver' });
  });

  it('holds up the deletion of the CDI object, with the names of what is in the way', async () => {
    await kubectl.run('create', 'namespace', 'team');
    await client.create(dataVolumes, {
      apiVersion: CDI_API_VERSION,
      kind: 'DataVolume',
      metadata: { namespace: 'team', name: 'vm' },
      spec: { source: { blank: {} }, storage: { resources: { requests: { storage: '1Gi' } } } },
    });
    await configure({ uninstallStrategy: 'BlockUninstallIfWorkloadsExist' });
    const { metadata } = await untilStatus('it is blocked', ({ conditions }) =>
      (conditions ?? []).some(({ type, message }) => type === 'UninstallBlocked' && message?.includes('team/vm')),
    );
    expect(metadata.finalizers).to.deep.equal(['operator.cdi.kubevirt.io']);
    expect(toError(await rejection(client.delete(cdis, CDI_KEY))).message).to.match(
      /there are DataVolumes: team\/vm\./,
    );
    await client.delete(dataVolumes, { namespace: 'team', name: 'vm' });
    await untilStatus('nothing is in the way', ({ conditions }) =>
      (conditions ?? []).every(({ type }) => type !== 'UninstallBlocked'),
    );
    await eventually('it is deleted', async () =>
      client.delete(cdis, CDI_KEY).then(
        () => true,
        () => false,
      ),
    );
    await until(client, cdis, CDI_KEY, 'another is made', (cdi) => cdi && cdi.metadata.uid !== metadata.uid);
  });

  it('is in the hands of its author: the controllers cannot write it', async () => {
    const controllers = new KubeClient(server.kubeConfig({ token: server.controllersToken }));
    const attempt = controllers.mergePatch(cdis, CDI_KEY, { spec: { priorityClass: 'mine' } });
    expect(toError(await rejection(attempt)).message).to.include('leave the spec of the CDI object to its author');
    await controllers.close();
  });
});
