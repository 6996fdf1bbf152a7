import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseAllDocuments } from 'yaml';

interface ClusterRole {
  kind: string;
  metadata: { name: string };
  rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
}

describe("the controllers' permissions", () => {
  const text = readFileSync(join(import.meta.dirname, '../../../deploy/base/rbac.yaml'), 'utf8');
  const documents = parseAllDocuments(text).map((document) => document.toJS() as ClusterRole);
  const rules = documents.find(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === 'cdi')?.rules ?? [];
  const allowed = (verb: string): string[] =>
    rules.filter(({ verbs }) => verbs.includes(verb)).flatMap(({ resources }) => resources);

  it('let them look at whatever they make, which may be there already', () => {
    // The names of events are never taken; Secrets and ConfigMaps are replaced without a look.
    const unread = ['events', 'secrets', 'configmaps'];
    const made = allowed('create').filter((resource) => !unread.includes(resource));
    expect(made).to.include.members(['pods', 'services', 'persistentvolumeclaims']);
    expect(allowed('get')).to.include.members(made);
  });

  it('let them read nobody’s Secrets and ConfigMaps, and nothing by wildcards', () => {
    for (const verb of ['get', 'list', 'watch', 'patch', 'update'])
      expect(allowed(verb), verb).to.not.include.members(['secrets']).and.to.not.include.members(['configmaps']);
    expect(rules.flatMap(({ apiGroups, resources, verbs }) => [...apiGroups, ...resources, ...verbs])).to.not.include(
      '*',
    );
  });
});
