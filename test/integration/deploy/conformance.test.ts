import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { stringify } from 'yaml';
import type { Manifest } from '../../../deploy/helm/sources.ts';
import { type CommandFailed, run, succeeds } from '../../cluster/commands.ts';
import { manifestCheckers } from '../../cluster/index.ts';
import { schemaLocation, writeJsonSchemas } from './json-schemas.ts';
import { OPTIONS, renderChart, renderKustomization } from './renderings.ts';

/** Every option at once, so that all manifests are checked. */
const everything = {
  ...OPTIONS.values,
  cdi: { spec: { config: { insecureRegistries: ['registry.local:5000'] } } },
  image: { repository: 'registry.example/diskpress', digest: `sha256:${'0'.repeat(64)}` },
};

/** Kinds whose schemas come with the operator of Prometheus. */
const foreign = ['ServiceMonitor', 'PodMonitor', 'PrometheusRule'];

/** What kube-score asks for and is not done, with the reason. */
const ignored: Readonly<Record<string, string>> = {
  'container-security-context-user-group-id':
    'group 107 is that of the disks that KubeVirt runs; a high number would not be able to read them',
  'container-image-pull-policy': 'an image that is named by its digest, or by a version, is the same wherever it is',
  'pod-networkpolicy':
    'the pods of hooks need the API server and live for seconds; the others have policies, as an option',
};

/** Nothing depends on the page: one that is replaced is back in seconds. */
const accepted = new Set(['[WARNING] cdi-dashboard/cdi apps/v1/Deployment: Deployment few replicas']);

/** A limit of cpu would hold up what users wait for, and the renewal of the lease; memory and storage are limited. */
const NO_CPU_LIMIT = '--ignore-container-cpu-limit';

describe('the manifests', function () {
  // Programs are built by the first test that needs them.
  this.timeout(0);
  let checkers: Awaited<ReturnType<typeof manifestCheckers>>;
  let folder: string;

  before(async () => {
    checkers = await manifestCheckers();
    folder = await mkdtemp(join(tmpdir(), 'schemas-'));
    await writeJsonSchemas(checkers.openApi, folder);
  });

  after(() => rm(folder, { recursive: true, force: true }));

  const conform = (manifests: readonly Manifest[]) =>
    run(
      checkers.kubeconform,
      ['-strict', '-summary', '-skip', foreign.join(','), '-schema-location', schemaLocation(folder), '-'],
      { input: textOf(manifests) },
    ).catch((error: CommandFailed) => error.message);

  it('have no field that Kubernetes does not know, as kustomize makes them', async () => {
    expect(await conform(await renderKustomization(OPTIONS.components))).to.match(/Invalid: 0, Errors: 0/);
  });

  it('have none as Helm makes them', async () => {
    expect(await conform(await renderChart(everything))).to.match(/Invalid: 0, Errors: 0/);
  });

  it('would be refused with a misspelt field', async () => {
    const manifest = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'odd' }, spec: { port: [] } };
    expect(await conform([manifest])).to.contain('Invalid: 1');
  });

  it('have nothing unsafe by kube-score, but what has a reason', async () => {
    const tests = Object.keys(ignored).flatMap((name) => ['--ignore-test', name]);
    const workloads = (await renderChart(everything)).filter(({ kind }) => kind !== 'CustomResourceDefinition');
    const args = ['score', '-', '--output-format', 'ci', '--exit-one-on-warning', NO_CPU_LIMIT, ...tests];
    const told: string[] = [];
    await succeeds(checkers.kubeScore, args, { input: textOf(workloads), onLine: (line) => told.push(line) });
    expect(told.filter((line) => line.startsWith('[OK]'))).not.to.be.empty;
    expect(told.filter((line) => /^\[(CRITICAL|WARNING)\]/.test(line) && !accepted.has(line))).to.deep.equal([]);
  });
});

function textOf(manifests: readonly Manifest[]): string {
  return manifests.map((manifest) => stringify(manifest, { version: '1.1', lineWidth: 0 })).join('---\n');
}
