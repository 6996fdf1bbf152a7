import { expect } from 'chai';
import { type CDI, cdis, type CDIStatus } from '../../src/api/cdi.ts';
import { dataVolumes } from '../../src/api/data-volume.ts';
import { type Deployment, deployments, pods } from '../../src/kube/builtin-resources.ts';
import { toError } from '../../src/kube/errors.ts';
import { dataVolume } from '../support/data-volumes.ts';
import { productNamespace } from '../support/environment.ts';
import { eventually } from '../support/eventually.ts';
import { rejection } from '../support/rejection.ts';
import { until } from '../support/until.ts';
import { useSuite } from './support/suite.ts';

const CDI_KEY = { namespace: '', name: 'cdi' };
const PROXY = 'cdi-uploadproxy';
const names = ['cdi-deployment', 'cdi-apiserver', PROXY];
const ROLLOUT_MILLISECONDS = 180_000;

const revisionOf = ({ metadata }: Deployment) => Number(metadata?.annotations?.['deployment.kubernetes.io/revision']);
const podOf = ({ spec }: Deployment) => spec?.template.spec;

describe('the CDI object', function () {
  this.timeout(ROLLOUT_MILLISECONDS);
  const suite = useSuite();
  let spec: CDI['spec'];
  let original: ReadonlyMap<string, Deployment>;

  const deploymentOf = async (name: string): Promise<Deployment> => {
    const found = await suite.client.get(deployments, { namespace: productNamespace, name });
    if (!found) throw new Error(`${name} is missing`);
    return found;
  };
  const all = async () =>
    new Map(await Promise.all(names.map(async (name) => [name, await deploymentOf(name)] as const)));
  const configure = (wanted: CDI['spec']) =>
    eventually('the CDI object is written', async () => {
      const found = await suite.client.get(cdis, CDI_KEY);
      return (
        found !== undefined &&
        suite.client.update(cdis, { ...found, spec: wanted }).then(
          () => true,
          () => false,
        )
      );
    });
  const untilTold = (what: string, test: (status: CDIStatus) => boolean) =>
    until(
      suite.client,
      cdis,
      CDI_KEY,
      what,
      (cdi) => (cdi?.status && test(cdi.status) ? cdi.status : undefined),
      ROLLOUT_MILLISECONDS,
    );
  const conditionOf = ({ conditions }: CDIStatus, type: string) => conditions?.find((each) => each.type === type);

  /** Resolves when every Deployment is as it should be, its pods run, and the CDI object tells so. */
  async function untilRolledOut(
    what: string,
    isWanted: (deployment: Deployment, name: string) => boolean,
  ): Promise<void> {
    for (const name of names) {
      const key = { namespace: productNamespace, name };
      const isThere = (found: Deployment | undefined) =>
        found !== undefined &&
        isWanted(found, name) &&
        (found.status?.observedGeneration ?? 0) >= (found.metadata?.generation ?? 0) &&
        found.status?.updatedReplicas === found.spec?.replicas &&
        found.status?.availableReplicas === found.spec?.replicas &&
        found.status?.replicas === found.spec?.replicas;
      await until(suite.client, deployments, key, `${name}: ${what}`, isThere, ROLLOUT_MILLISECONDS);
    }
    await untilTold('it is complete', (status) =>
      ['Progressing', 'Degraded'].every((type) => conditionOf(status, type)?.status === 'False'),
    );
  }

  before(async () => {
    spec = (await suite.client.get(cdis, CDI_KEY))?.spec ?? {};
    original = await all();
  });
  after('everything is given back', async function () {
    this.timeout(ROLLOUT_MILLISECONDS);
    await configure(spec);
    await untilRolledOut('it is as it was installed', (found, name) => {
      return JSON.stringify(found.spec) === JSON.stringify(original.get(name)?.spec);
    });
    const { phase } = await untilTold('it is Deployed', (status) => status.phase === 'Deployed');
    expect(phase).to.equal('Deployed');
  });

  it('has replicas, nodes, priority, logs and patches in force, by one rollout of each', async () => {
    const tolerations = [{ key: 'infra', operator: 'Exists' }];
    await configure({
      ...spec,
      infra: { ...spec.infra, uploadProxyReplicas: 3, nodeSelector: { 'kubernetes.io/os': 'linux' }, tolerations },
      priorityClass: 'system-node-critical',
      config: { ...spec.config, logVerbosity: 3 },
      customizeComponents: {
        patches: ['a', 'b'].map((name) => ({
          resourceType: 'Deployment',
          resourceName: PROXY,
          type: 'strategic',
          patch: JSON.stringify({ spec: { template: { metadata: { annotations: { [name]: 'patched' } } } } }),
        })),
      },
    });
    await untilRolledOut('it has what was asked for', (found, name) => {
      const pod = podOf(found);
      return (
        pod?.priorityClassName === 'system-node-critical' &&
        pod.containers[0]?.args?.includes('--log-level=verbose') === true &&
        pod.tolerations?.some(({ key }) => key === 'infra') === true &&
        (name !== PROXY ||
          (found.spec?.replicas === 3 && found.spec.template.metadata?.annotations?.['b'] === 'patched'))
      );
    });
    const changed = await all();
    for (const [name, before] of original)
      expect(revisionOf(changed.get(name) ?? {}), `revision of ${name}`).to.equal(revisionOf(before) + 1);
    const labelSelector = `cdi.kubevirt.io=${PROXY}`;
    const running = await suite.client.list(pods, { namespace: productNamespace, labelSelector });
    const kept = running.filter(({ metadata }) => !metadata?.deletionTimestamp);
    expect(kept.map((pod) => [pod.spec?.priorityClassName, pod.metadata?.annotations?.['a']])).to.deep.equal(
      Array.from({ length: 3 }, () => ['system-node-critical', 'patched']),
    );
  });

  it('says which Deployment is held up by what, and recovers', async () => {
    const found = await suite.client.get(cdis, CDI_KEY);
    const image = 'localhost/absent:none';
    const container = { name: PROXY, image, imagePullPolicy: 'Never' };
    const patch = JSON.stringify({ spec: { template: { spec: { containers: [container] } } } });
    const broken = { resourceType: 'Deployment', resourceName: PROXY, type: 'strategic', patch };
    const patches = found?.spec.customizeComponents?.patches ?? [];
    await configure({ ...found?.spec, customizeComponents: { patches: [...patches, broken] } });
    const status = await untilTold('it is Degraded', (each) => conditionOf(each, 'Degraded')?.status === 'True');
    expect(conditionOf(status, 'Degraded')?.reason).to.equal('DeploymentDegraded');
    expect(conditionOf(status, 'Degraded')?.message).to.match(
      /^Deployment "cdi-uploadproxy": pod "cdi-uploadproxy-\S+" is held up by ErrImageNeverPull: .*localhost\/absent:none/,
    );
    expect(conditionOf(status, 'Available')?.status).to.equal('True');
    await configure({ ...found?.spec });
    await untilTold('it has recovered', (each) => conditionOf(each, 'Degraded')?.status === 'False');
  });

  it('is not deleted before the DataVolumes that it is to wait for, which it names', async () => {
    const found = await suite.client.get(cdis, CDI_KEY);
    const key = suite.key('workload');
    await suite.client.create(
      dataVolumes,
      dataVolume(key, { blank: {} }, { storageClassName: suite.classes.standard }),
    );
    await configure({ ...found?.spec, uninstallStrategy: 'BlockUninstallIfWorkloadsExist' });
    const status = await untilTold('it is blocked', (each) => conditionOf(each, 'UninstallBlocked')?.status === 'True');
    const message = conditionOf(status, 'UninstallBlocked')?.message;
    expect(message).to.include(`${key.namespace}/${key.name}`);
    expect(toError(await rejection(suite.client.delete(cdis, CDI_KEY))).message).to.include(message);
    const { metadata } = (await suite.client.get(cdis, CDI_KEY)) ?? {};
    expect(metadata?.finalizers).to.include('operator.cdi.kubevirt.io');
    await configure({ ...found?.spec });
    await until(suite.client, cdis, CDI_KEY, 'nothing holds it', (cdi) => cdi && !cdi.metadata.finalizers?.length);
  });
});
