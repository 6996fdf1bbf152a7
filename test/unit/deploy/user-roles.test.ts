import type { V1ClusterRole, V1ClusterRoleBinding, V1PolicyRule } from '@kubernetes/client-node';
import { expect } from 'chai';
import { objectIn, objectsIn } from '../../support/deployed.ts';

const FILE = 'base/user-roles.yaml';
const roles = objectsIn(FILE).filter(({ kind }) => kind === 'ClusterRole') as V1ClusterRole[];

function role(name: string): V1ClusterRole {
  const found = roles.find(({ metadata }) => metadata?.name === `cdi.kubevirt.io:${name}`);
  if (!found) throw new Error(`there is no role ${name}`);
  return found;
}

/** Each single right, as `verb resource.group`. */
const rightsIn = (rules: readonly V1PolicyRule[] = []) =>
  rules.flatMap(({ apiGroups = [], resources = [], verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((each) => verbs.map((verb) => `${verb} ${each}.${group}`))),
  );

const UPLOAD = 'create uploadtokenrequests.upload.cdi.kubevirt.io';
const CLONE = 'create datavolumes/source.cdi.kubevirt.io';

describe('the roles for users', () => {
  it('become parts of the cluster’s own of the same names', () => {
    for (const name of ['view', 'edit', 'admin'])
      expect(role(name).metadata?.labels).to.deep.equal({ [`rbac.authorization.k8s.io/aggregate-to-${name}`]: 'true' });
    for (const name of ['clone-sourcer', 'config-reader']) expect(role(name).metadata).to.have.all.keys('name');
  });

  it('let those who edit upload and clone, and those who view neither', () => {
    for (const name of ['edit', 'admin']) expect(rightsIn(role(name).rules)).to.include.members([UPLOAD, CLONE]);
    for (const right of rightsIn(role('view').rules)) expect(right).to.match(/^(get|list|watch) /);
  });

  it('let one who offers disks give the right to clone them, and nothing else', () => {
    expect(rightsIn(role('clone-sourcer').rules)).to.deep.equal([CLONE]);
  });

  it('show the settings to everybody who is signed in', () => {
    for (const right of rightsIn(role('config-reader').rules)) expect(right).to.match(/^(get|list|watch) /);
    const { roleRef, subjects } = objectIn<V1ClusterRoleBinding>(FILE, 'ClusterRoleBinding');
    expect(roleRef.name).to.equal('cdi.kubevirt.io:config-reader');
    expect(subjects).to.deep.equal([
      { kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'system:authenticated' },
    ]);
  });

  it('have no wildcards', () => {
    expect(JSON.stringify(roles)).not.to.include('"*"');
  });
});
