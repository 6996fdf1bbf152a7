import type { V1ClusterRole, V1Deployment, V1Role, V1Service } from '@kubernetes/client-node';
import { expect } from 'chai';
import { roleCertificates } from '../../../src/protocol/installation.ts';
import { filesOf, objectIn } from '../../support/deployed.ts';

const MANIFEST = 'dashboard/dashboard.yaml';
const deployment = objectIn<V1Deployment>(MANIFEST, 'Deployment');
const controllers = objectIn<V1Deployment>('base/controller.yaml', 'Deployment');
const pod = deployment.spec?.template.spec;
const [container] = pod?.containers ?? [];

describe("the dashboard's Deployment", () => {
  it('is restricted as that of the controllers', () => {
    const other = controllers.spec?.template.spec;
    expect(pod?.securityContext).to.deep.equal(other?.securityContext);
    expect(container?.securityContext).to.deep.equal(other?.containers[0]?.securityContext);
    expect(container?.resources?.limits).to.have.all.keys('memory', 'ephemeral-storage');
    expect(container?.resources?.requests).to.have.all.keys('cpu', 'memory', 'ephemeral-storage');
  });

  it('is reached by the name that its certificate has', () => {
    const { metadata, spec } = objectIn<V1Service>(MANIFEST, 'Service');
    expect(metadata?.name).to.equal(roleCertificates.dashboard.service);
    expect(spec?.selector).to.deep.equal(deployment.spec?.selector.matchLabels);
    expect(spec?.ports).to.deep.equal([{ name: 'https', port: 443, targetPort: 'https' }]);
  });

  it('may write nothing, and read one Secret', () => {
    const { rules } = objectIn<V1ClusterRole>(MANIFEST, 'ClusterRole');
    const written = rules?.filter(({ verbs }) => verbs.some((verb) => !['list', 'watch'].includes(verb)));
    expect(written?.map(({ resources, verbs }) => [resources, verbs])).to.deep.equal([
      [['tokenreviews'], ['create']],
      [['subjectaccessreviews'], ['create']],
    ]);
    const { rules: own } = objectIn<V1Role>(MANIFEST, 'Role');
    expect(own).to.deep.equal([
      {
        apiGroups: [''],
        resources: ['secrets'],
        resourceNames: [roleCertificates.dashboard.secret],
        verbs: ['list', 'watch'],
      },
    ]);
  });

  it('is a component, and no part of what is installed without it', () => {
    expect(filesOf('dashboard')).to.deep.equal({ present: ['dashboard.yaml'], named: ['dashboard.yaml'] });
    expect(filesOf('base').named.join(' ')).not.to.contain('dashboard');
  });
});
