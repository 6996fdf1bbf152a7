import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseAllDocuments } from 'yaml';
import { controllers } from '../../../src/controllers/all.ts';
import { sharedRights } from '../../../src/controllers/manager.ts';
import type { Right } from '../../../src/controllers/runtime/rights.ts';

interface Role {
  kind: string;
  metadata: { name: string };
  rules: { apiGroups: string[]; resources: string[]; verbs: string[]; resourceNames?: string[] }[];
}

const text = readFileSync(join(import.meta.dirname, '../../../deploy/base/rbac.yaml'), 'utf8');
const documents = parseAllDocuments(text).map((document) => document.toJS() as Role);
const rulesOf = (kind: string): Role['rules'] =>
  documents.find((document) => document.kind === kind && document.metadata.name === 'cdi')?.rules ?? [];

/** Each single thing that a role grants, as `verb resource.group`, and ` name` where that limits it. */
function granted(kind: string): string[] {
  return rulesOf(kind).flatMap(({ apiGroups, resources, verbs, resourceNames }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) => verbs.flatMap((verb) => named(`${verb} ${resource}.${group}`, resourceNames))),
    ),
  );
}

function named(right: string, names: readonly string[] | undefined): string[] {
  return names ? names.map((name) => `${right} ${name}`) : [right];
}

/** The same of what was declared; each once. */
function declared(rights: readonly Right[]): string[] {
  const single = rights.flatMap(({ resource: { plural, group }, subresource, verbs, names }) =>
    verbs.flatMap((verb) => named(`${verb} ${subresource ? `${plural}/${subresource}` : plural}.${group}`, names)),
  );
  return [...new Set(single)];
}

describe("the controllers' permissions", () => {
  const rights: readonly Right[] = [...sharedRights, ...controllers.flatMap((controller) => controller.rights)];

  it('are what the controllers declare to need, no more and no less', () => {
    const everywhere = rights.filter(({ within }) => within === undefined);
    expect(granted('ClusterRole').sort()).to.deep.equal(declared(everywhere).sort());
  });

  it('are the same within the namespace of the installation, but for what others allow already', () => {
    const within = declared(rights.filter((right) => right.within === 'installation'));
    const unnamed = ([verb, resource, name]: readonly string[]) => (name ? `${verb} ${resource}` : '');
    const isAllowedOtherwise = (right: string) =>
      [right, unnamed(right.split(' '))].some((each) => granted('ClusterRole').includes(each)) ||
      within.includes(unnamed(right.split(' ')));
    expect(granted('Role').sort()).to.deep.equal(within.filter((right) => !isAllowedOtherwise(right)).sort());
  });

  it('let them look at whatever they make, which may be there already', () => {
    // The names of events are never taken; Secrets and ConfigMaps are replaced without a look; configurations are
    // applied; reviews are questions.
    const reviews = ['tokenreviews.authentication.k8s.io', 'subjectaccessreviews.authorization.k8s.io'];
    const unread = ['events.', 'secrets.', 'configmaps.', 'cdiconfigs.cdi.kubevirt.io', ...reviews];
    const allowed = granted('ClusterRole');
    const made = allowed.filter((right) => right.startsWith('create ')).map((right) => right.slice('create '.length));
    expect(made).to.include.members(['pods.', 'services.', 'persistentvolumeclaims.']);
    for (const resource of made.filter((each) => !unread.includes(each))) expect(allowed).to.include(`get ${resource}`);
  });

  it('let them read nobody’s Secrets and ConfigMaps, and nothing by wildcards', () => {
    for (const verb of ['get', 'list', 'watch', 'patch', 'update'])
      expect(granted('ClusterRole')).to.not.include.members([`${verb} secrets.`, `${verb} configmaps.`]);
    expect(JSON.stringify([rulesOf('ClusterRole'), rulesOf('Role')])).to.not.include('"*"');
  });
});
