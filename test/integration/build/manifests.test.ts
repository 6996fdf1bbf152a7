import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { expect } from 'chai';
import { parseAllDocuments, stringify } from 'yaml';
import { run } from '../../cluster/commands.ts';
import { deployFolder } from '../../support/deployed.ts';

/** What kubectl makes of a kustomization that names folders of the repository, as `Kind name`. */
async function build(kustomization: { resources: string[]; components?: string[] }): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'manifests-'));
  try {
    const { resources, components = [] } = kustomization;
    const from = (paths: string[]) => paths.map((path) => relative(folder, path));
    const text = stringify({ resources: from(resources), components: from(components) });
    await writeFile(join(folder, 'kustomization.yaml'), text);
    const built = await run('kubectl', ['kustomize', folder]);
    return parseAllDocuments(built).map((document) => {
      const { kind, metadata } = document.toJS() as { kind: string; metadata: { name: string } };
      return `${kind} ${metadata.name}`;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe('the manifests', () => {
  it('are built by kubectl, with NetworkPolicies where they are asked for', async () => {
    const plain = await build({ resources: [deployFolder] });
    expect(plain).to.include.members([
      'ResourceQuota cdi-critical-pods',
      'PodDisruptionBudget cdi-deployment',
      'PodDisruptionBudget cdi-uploadproxy',
    ]);
    const components = [join(deployFolder, 'network-policies')];
    const guarded = await build({ resources: [deployFolder], components });
    expect(guarded.filter((object) => !plain.includes(object))).to.have.members([
      'NetworkPolicy cdi-apiserver',
      'NetworkPolicy cdi-deployment',
      'NetworkPolicy cdi-image-polls',
      'NetworkPolicy cdi-uploadproxy',
    ]);
    expect(guarded).to.include.members(plain);
  });
});
