import type { V1Deployment, V1NetworkPolicy, V1NetworkPolicyPort } from '@kubernetes/client-node';
import { expect } from 'chai';
import { POD_ROLE_LABEL, transferPodLabels } from '../../../src/api/labels.ts';
import { COPY_PORT, PROGRESS_PORT } from '../../../src/protocol/transfer-pod.ts';
import { filesOf, objectIn, objectsIn } from '../../support/deployed.ts';

interface IngressRule {
  readonly from?: object[];
  readonly ports?: V1NetworkPolicyPort[];
}

const deployment = objectIn<V1Deployment>('base/controller.yaml', 'Deployment');
const ofTransfers = objectsIn('network-policies/transfer-pods.yaml') as V1NetworkPolicy[];
const portsOf = (ports: V1NetworkPolicyPort[] = []) => ports.map(({ port }) => port);

/** The policies of the pods with a role. */
const policiesOf = (role: string): V1NetworkPolicy[] =>
  ofTransfers.filter(({ spec }) => {
    const { matchLabels, matchExpressions = [] } = spec?.podSelector ?? {};
    return (
      matchLabels?.[POD_ROLE_LABEL] === role ||
      matchExpressions.some(({ key, values }) => key === POD_ROLE_LABEL && values?.includes(role))
    );
  });

const ingressPortsOf = (role: string) =>
  policiesOf(role).flatMap(({ spec }) => (spec?.ingress ?? []).flatMap(({ ports }) => portsOf(ports)));

describe("the controllers' NetworkPolicy", () => {
  const { metadata, spec } = objectIn<V1NetworkPolicy>('network-policies/controller.yaml', 'NetworkPolicy');

  it('is that of their pods, in both directions', () => {
    expect(metadata?.namespace).to.equal(deployment.metadata?.namespace);
    expect(spec?.podSelector).to.deep.equal(deployment.spec?.selector);
    expect(spec?.policyTypes).to.have.members(['Ingress', 'Egress']);
  });

  it('lets nobody in but to the ports of their metrics and health', () => {
    const names = deployment.spec?.template.spec?.containers.flatMap(({ ports }) => ports?.map(({ name }) => name));
    expect(spec?.ingress?.flatMap(({ ports }) => portsOf(ports))).to.deep.equal(names);
  });

  it('lets them ask every kind of transfer pod for its progress, in all namespaces', () => {
    const rule = spec?.egress?.find(({ ports }) => portsOf(ports).includes(PROGRESS_PORT));
    const [peer] = rule?.to ?? [];
    expect(rule?.to).to.have.lengthOf(1);
    expect(peer?.namespaceSelector).to.deep.equal({});
    expect(peer?.podSelector?.matchExpressions).to.deep.equal([
      { key: POD_ROLE_LABEL, operator: 'In', values: [...transferPodLabels] },
    ]);
  });

  it('goes with the component, which leaves those for the namespaces of users to their owners', () => {
    const { present, named } = filesOf('network-policies');
    const installed = ['apiserver.yaml', 'controller.yaml', 'image-polls.yaml', 'upload-proxy.yaml'];
    expect(named).to.deep.equal(installed);
    expect(present).to.deep.equal([...installed, 'transfer-pods.yaml'].sort());
  });

  it('lets polls reach what importers reach, by a policy of its own', () => {
    const polls = objectIn<V1NetworkPolicy>('network-policies/image-polls.yaml', 'NetworkPolicy').spec;
    const [imports] = policiesOf('importer').filter(({ spec: other }) => other?.policyTypes?.includes('Egress'));
    expect(polls?.podSelector).to.deep.equal(spec?.podSelector);
    expect(polls?.egress).to.deep.equal(imports?.spec?.egress?.slice(0, 1));
  });
});

describe('the NetworkPolicies of transfer pods', () => {
  it('let the controllers ask for progress', () => {
    // As it is written; the client's type has another name for it.
    const rules = ofTransfers.flatMap(({ spec }) => (spec?.ingress ?? []) as IngressRule[]);
    const [progress, ...others] = rules.filter(({ ports }) => portsOf(ports).includes(PROGRESS_PORT));
    expect(others).to.be.empty;
    expect(progress?.from).to.deep.equal([
      {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': deployment.metadata?.namespace } },
        podSelector: { matchLabels: deployment.spec?.selector.matchLabels },
      },
    ]);
  });

  it('open the port of copies at their target only, and that of progress everywhere', () => {
    for (const role of transferPodLabels) {
      const expected = role === 'cdi-upload-server' ? [PROGRESS_PORT, COPY_PORT] : [PROGRESS_PORT];
      expect(ingressPortsOf(role), role).to.have.members(expected);
    }
  });

  it('say for every kind of pod where it may connect', () => {
    for (const role of transferPodLabels) {
      const limited = policiesOf(role).filter(({ spec }) => spec?.policyTypes?.includes('Egress'));
      expect(limited, role).to.have.lengthOf(1);
    }
  });

  it('name no namespace, which their owners do', () => {
    for (const { metadata } of ofTransfers) expect(metadata).to.have.all.keys('name');
  });
});
