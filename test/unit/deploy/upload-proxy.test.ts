import type { V1Deployment, V1NetworkPolicy, V1PodDisruptionBudget, V1Role, V1Service } from '@kubernetes/client-node';
import { expect } from 'chai';
import {
  bundleName,
  roleCertificates,
  TOKEN_VERIFICATION_SECRET,
  uploadClientCertificate,
} from '../../../src/protocol/installation.ts';
import { COPY_PORT } from '../../../src/protocol/transfer-pod.ts';
import { objectIn, objectsIn } from '../../support/deployed.ts';

const MANIFEST = 'base/upload-proxy.yaml';
const deployment = objectIn<V1Deployment>(MANIFEST, 'Deployment');
const controllers = objectIn<V1Deployment>('base/controller.yaml', 'Deployment');
const pod = deployment.spec?.template.spec;
const [container] = pod?.containers ?? [];

describe("the upload proxy's Deployment", () => {
  it('is restricted as that of the controllers', () => {
    const other = controllers.spec?.template.spec;
    expect(pod?.securityContext).to.deep.equal(other?.securityContext);
    expect(container?.securityContext).to.deep.equal(other?.containers[0]?.securityContext);
    expect(container?.resources?.limits).to.have.all.keys('memory', 'ephemeral-storage');
    expect(container?.resources?.requests).to.have.all.keys('cpu', 'memory', 'ephemeral-storage');
  });

  it('stays while a node is drained and while it is replaced', () => {
    expect(deployment.spec?.replicas).to.equal(2);
    expect(deployment.spec?.strategy?.rollingUpdate).to.deep.equal({ maxUnavailable: 0, maxSurge: 1 });
    const budget = objectsIn('base/availability.yaml').find(
      ({ kind, metadata }) => kind === 'PodDisruptionBudget' && metadata?.name === 'cdi-uploadproxy',
    ) as V1PodDisruptionBudget;
    expect(budget.spec?.maxUnavailable).to.equal(1);
    expect(budget.spec?.selector).to.deep.equal(deployment.spec?.selector);
  });

  it('lets uploads come to their end', () => {
    expect(pod?.terminationGracePeriodSeconds).to.be.at.least(1800);
  });

  it('is reached by its Service, on the port of https', () => {
    const { metadata, spec } = objectIn<V1Service>(MANIFEST, 'Service');
    expect(metadata?.name).to.equal(roleCertificates.uploadproxy.service);
    expect(spec?.selector).to.deep.equal(deployment.spec?.selector.matchLabels);
    expect(spec?.ports).to.deep.equal([{ name: 'https', port: 443, targetPort: 'https' }]);
    expect(container?.ports?.map(({ name }) => name)).to.deep.equal(['https', 'metrics']);
  });

  it('may read its own certificates and keys, and no others', () => {
    const { rules } = objectIn<V1Role>(MANIFEST, 'Role');
    expect(rules?.flatMap(({ resourceNames = [] }) => resourceNames)).to.have.members([
      roleCertificates.uploadproxy.secret,
      uploadClientCertificate.secret,
      TOKEN_VERIFICATION_SECRET,
      bundleName('uploadserver'),
    ]);
    for (const { verbs } of rules ?? []) expect(verbs).to.deep.equal(['list', 'watch']);
    const everywhere = objectIn<V1Role>(MANIFEST, 'ClusterRole');
    expect(everywhere.rules).to.deep.equal([
      { apiGroups: [''], resources: ['persistentvolumeclaims', 'services'], verbs: ['get'] },
    ]);
  });
});

describe("the upload proxy's NetworkPolicy", () => {
  const { metadata, spec } = objectIn<V1NetworkPolicy>('network-policies/upload-proxy.yaml', 'NetworkPolicy');

  it('is that of its pods, and lets anybody come to their ports', () => {
    expect(metadata?.namespace).to.equal(deployment.metadata?.namespace);
    expect(spec?.podSelector).to.deep.equal(deployment.spec?.selector);
    expect(spec?.ingress?.flatMap(({ ports = [] }) => ports.map(({ port }) => port))).to.deep.equal(
      container?.ports?.map(({ name }) => name),
    );
  });

  it('lets it reach upload servers in all namespaces, which let it in', () => {
    const rule = spec?.egress?.find(({ ports = [] }) => ports.some(({ port }) => port === COPY_PORT));
    expect(rule?.to).to.deep.equal([
      { namespaceSelector: {}, podSelector: { matchLabels: { 'cdi.kubevirt.io': 'cdi-upload-server' } } },
    ]);
    const letIn = JSON.stringify(objectsIn('network-policies/transfer-pods.yaml'));
    expect(letIn).to.contain(
      JSON.stringify({
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': metadata?.namespace } },
        podSelector: { matchLabels: deployment.spec?.selector.matchLabels },
      }),
    );
  });
});
