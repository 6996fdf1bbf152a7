import type {
  V1Deployment,
  V1Namespace,
  V1PodDisruptionBudget,
  V1Probe,
  V1ResourceQuota,
} from '@kubernetes/client-node';
import { expect } from 'chai';
import { filesOf, objectIn } from '../../support/deployed.ts';

const deployment = objectIn<V1Deployment>('base/controller.yaml', 'Deployment');
const pod = deployment.spec?.template.spec;
const [container] = pod?.containers ?? [];

/** Seconds of silence after which the kubelet acts. */
const patience = ({ periodSeconds = 10, failureThreshold = 3 }: V1Probe = {}): number =>
  periodSeconds * failureThreshold;

describe("the controllers' Deployment", () => {
  it('keeps to the restricted Pod Security Standard, which its namespace enforces, warns of and audits', () => {
    const { metadata } = objectIn<V1Namespace>('base/namespace.yaml', 'Namespace');
    for (const mode of ['enforce', 'audit', 'warn']) {
      expect(metadata?.labels?.[`pod-security.kubernetes.io/${mode}`], mode).to.equal('restricted');
    }
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

  it('says that it needs its token', () => {
    expect(pod).to.include({ serviceAccountName: 'cdi-sa', automountServiceAccountToken: true });
  });

  it('limits memory and ephemeral storage, but not the processor that renews its lease', () => {
    expect(container?.resources?.limits).to.have.all.keys('memory', 'ephemeral-storage');
    expect(container?.resources?.requests).to.have.all.keys('cpu', 'memory', 'ephemeral-storage');
  });

  it('is not restarted by a loaded machine', () => {
    for (const probe of [container?.startupProbe, container?.livenessProbe]) {
      expect(probe?.timeoutSeconds).to.be.at.least(5);
      expect(patience(probe)).to.be.at.least(120);
    }
    expect(container?.readinessProbe?.timeoutSeconds).to.be.at.least(5);
  });

  it('may be of its priority class where that is for those with a quota only', () => {
    const { metadata, spec } = objectIn<V1ResourceQuota>('base/availability.yaml', 'ResourceQuota');
    expect(metadata?.namespace).to.equal(deployment.metadata?.namespace);
    expect(spec?.scopeSelector?.matchExpressions).to.deep.equal([
      { scopeName: 'PriorityClass', operator: 'In', values: [pod?.priorityClassName] },
    ]);
    // Only the number of pods: any other resource would have to be set by each of them.
    expect(Object.keys(spec?.hard ?? {})).to.deep.equal(['pods']);
    // The replicas and those that follow them, with room for more.
    expect(Number(spec?.hard?.['pods'])).to.be.at.least(2 * (deployment.spec?.replicas ?? 1));
  });

  it('can be drained', () => {
    const { spec } = objectIn<V1PodDisruptionBudget>('base/availability.yaml', 'PodDisruptionBudget');
    expect(spec?.maxUnavailable).to.equal(1);
    expect(spec).not.to.have.property('minAvailable');
    expect(spec?.selector).to.deep.equal(deployment.spec?.selector);
  });

  it('is installed with all that lies beside it', () => {
    const { present, named } = filesOf('base');
    expect(named).to.deep.equal(present);
  });
});
