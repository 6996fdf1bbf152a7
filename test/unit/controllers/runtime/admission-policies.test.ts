import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseAllDocuments } from 'yaml';
import { AdmissionPolicies, REQUIRED_POLICIES } from '../../../../src/controllers/runtime/admission-policies.ts';
import type { KubeObject } from '../../../../src/kube/resource.ts';
import { cachesOf } from '../caches.ts';
import { installedPolicies } from '../policies.ts';

const MADE = '2026-01-01T00:00:00Z';
const LATER = '2026-01-01T01:00:00Z';
const NAME = 'clone-from-data-volume.cdi.kubevirt.io';

const view = (contents: ReturnType<typeof installedPolicies>, now = LATER) =>
  new AdmissionPolicies(cachesOf(contents), 'cdi', () => Date.parse(now));
const without = <T extends KubeObject>(objects: T[]) => objects.filter(({ metadata }) => metadata?.name !== NAME);
const changed = <T extends KubeObject>(objects: T[], change: Partial<T>) =>
  objects.map((object) => (object.metadata?.name === NAME ? { ...object, ...change } : object));

describe('the admission policies', () => {
  const installed = installedPolicies(MADE);
  const made = (creationTimestamp: string) => ({ metadata: { creationTimestamp } });

  it('are those of deploy/admission', () => {
    const folder = join(import.meta.dirname, '../../../../deploy/admission');
    const names = readdirSync(folder)
      .flatMap((file) => parseAllDocuments(readFileSync(join(folder, file), 'utf8')))
      .map((document) => document.toJS() as KubeObject)
      .filter(({ kind }) => kind === 'ValidatingAdmissionPolicyBinding')
      .map(({ metadata }) => metadata?.name);
    expect(names).to.include.members([...REQUIRED_POLICIES]);
  });

  it('have admitted what was made once they were in force', () => {
    expect(view(installed).problem).to.equal(undefined);
    expect(view(installed).hasAdmitted(NAME, made('2026-01-01T00:00:10Z'))).to.equal(true);
    expect(view(installed).hasAdmitted(NAME, made('2026-01-01T00:00:09Z'))).to.equal(false);
    expect(view(installed).hasAdmitted(NAME, {})).to.equal(false);
  });

  it('are not in force in the moment in which they are made', () => {
    expect(view(installed, '2026-01-01T00:00:05Z').problem).to.match(/was made a moment ago/);
  });

  it('must be for controllers of this namespace', () => {
    const elsewhere = new AdmissionPolicies(cachesOf(installed), 'storage', () => Date.parse(LATER));
    expect(elsewhere.problem).to.match(/is not for controllers in namespace "storage"/);
  });

  const broken: Record<string, [ReturnType<typeof installedPolicies>, RegExp]> = {
    'a policy is missing': [{ ...installed, policies: without(installed.policies) }, /Policy "clone-from.*is missing/],
    'a binding is missing': [
      { ...installed, policyBindings: without(installed.policyBindings) },
      /Binding "clone-from.*is missing/,
    ],
    'a policy lets pass what it cannot judge': [
      { ...installed, policies: changed(installed.policies, { spec: { failurePolicy: 'Ignore' } }) },
      /failurePolicy Ignore/,
    ],
    'a binding only warns': [
      {
        ...installed,
        policyBindings: changed(installed.policyBindings, { spec: { policyName: NAME, validationActions: ['Warn'] } }),
      },
      /does not deny everywhere/,
    ],
    'a binding leaves namespaces out': [
      {
        ...installed,
        policyBindings: changed(installed.policyBindings, {
          spec: { policyName: NAME, validationActions: ['Deny'], matchResources: { namespaceSelector: {} } },
        }),
      },
      /does not deny everywhere/,
    ],
  };
  for (const [title, [contents, expected]] of Object.entries(broken)) {
    it(`have admitted nothing while ${title}`, () => {
      expect(view(contents).problem).to.match(expected);
      expect(view(contents).hasAdmitted(NAME, made(LATER))).to.equal(false);
    });
  }
});
