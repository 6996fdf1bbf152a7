import { expect } from 'chai';
import { CHART } from '../../../deploy/helm/chart-files.ts';
import type { Manifest } from '../../../deploy/helm/sources.ts';
import { run } from '../../cluster/commands.ts';
import { helmBinary } from '../../cluster/index.ts';
import { IMAGE, isHook, nameOf, OPTIONS, renderChart, renderKustomization } from './renderings.ts';

const KEEP = 'helm.sh/resource-policy';

describe("the chart's templates", function () {
  // Helm is built by the first test that needs it.
  this.timeout(0);

  it('satisfy helm lint', async () => {
    await run(await helmBinary(), ['lint', '--strict', CHART, '--set', `image.repository=${IMAGE.repository}`]);
  });

  it('make what kustomize makes, object by object', async () => {
    const built = (await renderKustomization()).filter(({ kind }) => kind !== 'Namespace');
    expectSame(await renderChart(), built);
  });

  it('make of each option what its component is for kustomize', async () => {
    const built = (await renderKustomization(OPTIONS.components)).filter(({ kind }) => kind !== 'Namespace');
    expectSame(await renderChart(OPTIONS.values), built);
  });

  it('name no namespace but that of the release', async () => {
    const here = await renderChart(OPTIONS.values);
    const elsewhere = await renderChart(OPTIONS.values, 'elsewhere');
    const text = JSON.stringify(elsewhere.map(withoutOwnNames));
    expect(text).not.to.match(/["'.:]cdi(?![.]kubevirt[.]io)["'.:]/);
    expect(text.match(/system:serviceaccount:elsewhere:cdi-sa/g)).to.have.lengthOf.at.least(4);
    // Nothing else depends on it.
    const moved = JSON.stringify(elsewhere).replaceAll('elsewhere', 'cdi');
    expect(JSON.parse(moved)).to.deep.equal(here);
  });

  it('have the image by its digest where that is given', async () => {
    const digest = `sha256:${'0'.repeat(64)}`;
    const manifests = await renderChart({ image: { ...IMAGE, digest } });
    const images = JSON.stringify(manifests).match(/registry\.example[^"]*/g) ?? [];
    expect(new Set(images)).to.deep.equal(new Set([`${IMAGE.repository}@${digest}`]));
    // One in each of three Deployments, that of transfer pods, and those of the steps before, after, and of the test.
    expect(images).to.have.lengthOf.at.least(7);
  });

  it('have what the values say of a component', async () => {
    const tolerations = [{ key: 'storage', operator: 'Exists' }];
    const topologySpreadConstraints = [
      { maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
    ];
    const manifests = await renderChart({
      logLevel: 'debug',
      priorityClassName: 'important',
      imagePullSecrets: [{ name: 'pull' }],
      apiserver: {
        replicas: 3,
        resources: { limits: { memory: '1Gi' } },
        nodeSelector: { storage: 'yes' },
        tolerations,
        affinity: { nodeAffinity: {} },
        topologySpreadConstraints,
      },
    });
    const deployment = manifests.find((each) => nameOf(each) === 'Deployment cdi/cdi-apiserver');
    const { replicas, template } = deployment?.spec as {
      replicas: number;
      template: { spec: Record<string, unknown> };
    };
    expect(replicas).to.equal(3);
    expect(template.spec).to.deep.include({
      priorityClassName: 'important',
      imagePullSecrets: [{ name: 'pull' }],
      tolerations,
      topologySpreadConstraints,
    });
    expect(template.spec).to.have.nested.property('nodeSelector.storage', 'yes');
    expect(template.spec).to.have.nested.property('containers[0].resources.limits.memory', '1Gi');
    expect(JSON.stringify(template.spec)).to.contain('{"name":"LOG_LEVEL","value":"debug"}');
    // The quota is for classes of the system.
    expect(manifests.map(({ kind }) => kind)).not.to.include('ResourceQuota');
  });

  it('leave out what is switched off', async () => {
    const manifests = await renderChart({ crds: { enabled: false }, podDisruptionBudgets: { enabled: false } });
    const kinds = manifests.map(({ kind }) => kind);
    expect(kinds).not.to.include.oneOf(['CustomResourceDefinition', 'PodDisruptionBudget', 'NetworkPolicy']);
  });

  it('set the CDI object only where there is something to set, from a Secret', async () => {
    const named = (manifests: readonly Manifest[]) => manifests.map(nameOf).filter((name) => /configure/.test(name));
    expect(named(await renderChart())).to.deep.equal([]);
    const manifests = await renderChart({ cdi: { spec: { config: { insecureRegistries: ['registry.local:5000'] } } } });
    expect(named(manifests)).to.include.members(['Secret cdi/cdi-configure', 'Job cdi/cdi-configure']);
    const secret = manifests.find((each) => nameOf(each) === 'Secret cdi/cdi-configure');
    expect(secret?.stringData).to.deep.equal({
      'cdi-spec.json': '{"config":{"insecureRegistries":["registry.local:5000"]}}',
    });
  });

  for (const [what, values, complaint] of [
    ['an unknown value', { imag: {} }, "additional properties 'imag' not allowed"],
    ['an unknown setting', { cdi: { spec: { confg: {} } } }, "additional properties 'confg' not allowed"],
    ['a number of replicas that is none', { controller: { replicas: 'two' } }, '/controller/replicas'],
    ['a digest that is none', { image: { ...IMAGE, digest: 'latest' } }, '/image/digest'],
    ['no image', { image: {} }, 'image.repository is not set'],
  ] as const) {
    it(`are not made of ${what}`, async () => {
      const refusal = await renderChart(values).then(
        () => 'nothing was refused',
        (error: Error) => error.message,
      );
      expect(refusal).to.contain(complaint);
    });
  }

  it('keep the definitions, and with them all objects, when the release goes', async () => {
    const definitions = (await renderChart()).filter(({ kind }) => kind === 'CustomResourceDefinition');
    expect(definitions).to.have.lengthOf.at.least(10);
    for (const each of definitions) expect(each.metadata.annotations, nameOf(each)).to.include({ [KEEP]: 'keep' });
  });
});

function expectSame(rendered: readonly Manifest[], built: readonly Manifest[]): void {
  const installed = rendered.filter((manifest) => !isHook(manifest)).map(withoutPolicy);
  expect(installed.map(nameOf)).to.have.members(built.map(nameOf));
  for (const manifest of built) {
    const found = installed.find((other) => nameOf(other) === nameOf(manifest));
    expect(found, nameOf(manifest)).to.deep.equal(manifest);
  }
}

/** Helm alone has to be told what to keep. */
function withoutPolicy(manifest: Manifest): Manifest {
  const { [KEEP]: policy, ...annotations } = manifest.metadata.annotations ?? {};
  if (policy === undefined) return manifest;
  const metadata = { ...manifest.metadata };
  delete metadata.annotations;
  return { ...manifest, metadata: Object.keys(annotations).length > 0 ? { ...metadata, annotations } : metadata };
}

/** Without what is called cdi itself: roles, and the object of that name. */
function withoutOwnNames(manifest: Manifest): unknown {
  if (manifest.kind === 'CustomResourceDefinition') return undefined;
  const isRole = manifest.apiVersion.startsWith('rbac.authorization.k8s.io/');
  return JSON.parse(
    JSON.stringify(manifest, (field, value: unknown) =>
      value === 'cdi' && isRole && field === 'name' ? undefined : value,
    ).replaceAll('"resourceNames":["cdi"]', '"resourceNames":[]'),
  );
}
