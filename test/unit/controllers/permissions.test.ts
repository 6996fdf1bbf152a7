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
  it('let them look at whatever they make, which may be there already', () => {
    const text = readFileSync(join(import.meta.dirname, '../../../deploy/base/rbac.yaml'), 'utf8');
    const documents = parseAllDocuments(text).map((document) => document.toJS() as ClusterRole);
    const rules =
      documents.find(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === 'cdi')?.rules ?? [];
    const allowed = (verb: string): string[] =>
      rules.filter(({ verbs }) => verbs.includes(verb)).flatMap(({ resources }) => resources);
    // The names of events are never taken.
    const made = allowed('create').filter((resource) => resource !== 'events');
    expect(made).to.include.members(['pods', 'services', 'secrets', 'persistentvolumeclaims']);
    expect(allowed('get')).to.include.members(made);
  });
});
