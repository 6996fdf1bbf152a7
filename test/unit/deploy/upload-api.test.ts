import type { V1Deployment, V1PodDisruptionBudget, V1ResourceQuota, V1Role, V1Service } from '@kubernetes/client-node';
import { expect } from 'chai';
import { roleCertificates, TOKEN_SIGNING_SECRET } from '../../../src/protocol/installation.ts';
import { objectIn, objectsIn } from '../../support/deployed.ts';

describe("the upload API's Deployment", () => {
  const file = 'base/apiserver.yaml';
  const deployment = objectIn<V1Deployment>(file, 'Deployment');
  const pod = deployment.spec?.template.spec;
  const [container] = pod?.containers ?? [];

  it('keeps to the restricted Pod Security Standard', () => {
    expect(pod?.securityContext).to.deep.equal({
      runAsNonRoot: true,
      runAsUser: 107,
      runAsGroup: 107,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container?.securityContext).to.deep.equal({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('has two replicas, of which one stays while others are drained or replaced', () => {
    expect(deployment.spec?.replicas).to.equal(2);
    expect(deployment.spec?.strategy?.rollingUpdate?.maxUnavailable).to.equal(0);
    const budget = objectsIn('base/availability.yaml').find(
      ({ kind, metadata }) => kind === 'PodDisruptionBudget' && metadata?.name === deployment.metadata?.name,
    ) as V1PodDisruptionBudget;
    expect(budget.spec?.maxUnavailable).to.equal(1);
    expect(budget.spec?.selector).to.deep.equal(deployment.spec?.selector);
  });

  it('is reached by the name that its certificate has', () => {
    const service = objectIn<V1Service>(file, 'Service');
    expect(service.metadata?.name).to.equal(roleCertificates.apiserver.service);
    expect(service.spec?.selector).to.deep.equal(deployment.spec?.selector.matchLabels);
    const ports = container?.ports?.map(({ name }) => name);
    expect(ports).to.include(service.spec?.ports?.[0]?.targetPort);
  });

  it('may read its own keys, and nobody else’s', () => {
    const { rules } = objectIn<V1Role>(file, 'Role');
    expect(rules).to.deep.equal([
      {
        apiGroups: [''],
        resources: ['secrets'],
        resourceNames: [roleCertificates.apiserver.secret, TOKEN_SIGNING_SECRET],
        verbs: ['list', 'watch'],
      },
    ]);
    expect(JSON.stringify(objectsIn(file))).not.to.include('"*"');
  });
});

describe('the quota of critical pods', () => {
  it('has room for all replicas and those that follow them', () => {
    const deployments = ['base/controller.yaml', 'base/apiserver.yaml', 'base/upload-proxy.yaml'].map((file) =>
      objectIn<V1Deployment>(file, 'Deployment'),
    );
    const replicas = deployments.reduce((sum, { spec }) => sum + 2 * (spec?.replicas ?? 1), 0);
    const quota = objectIn<V1ResourceQuota>('base/availability.yaml', 'ResourceQuota');
    expect(Number(quota.spec?.hard?.['pods'])).to.be.at.least(replicas);
  });
});
