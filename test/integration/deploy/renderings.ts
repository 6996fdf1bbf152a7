import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { CHART } from '../../../deploy/helm/chart-files.ts';
import type { Manifest } from '../../../deploy/helm/sources.ts';
import { run } from '../../cluster/commands.ts';
import { helmBinary } from '../../cluster/index.ts';
import { deployFolder } from '../../support/deployed.ts';

/** What is off unless asked for, and for kustomize is a component each. */
export const OPTIONS = {
  values: { networkPolicies: { enabled: true }, dashboard: { enabled: true }, monitoring: { enabled: true } },
  components: ['network-policies', 'dashboard', 'monitoring'],
};

export const IMAGE = { repository: 'registry.example/diskpress', tag: '1.2.3' };

/** What the chart becomes, hooks included. */
export async function renderChart(values: object = {}, namespace = 'cdi'): Promise<Manifest[]> {
  const input = stringify({ image: IMAGE, ...values }, { version: '1.1' });
  const args = ['template', 'diskpress', CHART, '--namespace', namespace, '--values', '-'];
  return manifestsIn(await run(await helmBinary(), args, { input }));
}

/** What kustomize makes of deploy/, and of components of it. */
export async function renderKustomization(components: readonly string[] = []): Promise<Manifest[]> {
  const folder = await mkdtemp(join(tmpdir(), 'kustomization-'));
  try {
    const from = (path: string) => relative(folder, path);
    const kustomization = {
      resources: [from(deployFolder)],
      components: components.map((name) => from(join(deployFolder, name))),
    };
    await writeFile(join(folder, 'kustomization.yaml'), stringify(kustomization));
    const text = await run('kubectl', ['kustomize', folder]);
    return manifestsIn(text.replaceAll('localhost/diskpress:dev', `${IMAGE.repository}:${IMAGE.tag}`));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whether Helm makes it around an installation, rather than as a part of it. */
export function isHook({ metadata }: Manifest): boolean {
  return metadata.annotations?.['helm.sh/hook'] !== undefined;
}

/** `Deployment cdi/cdi-deployment` */
export function nameOf({ kind, metadata: { namespace, name } }: Manifest): string {
  return `${kind} ${namespace ? `${namespace}/` : ''}${name}`;
}

function manifestsIn(text: string): Manifest[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}
