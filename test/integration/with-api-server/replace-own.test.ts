import { expect } from 'chai';
import { workForAnnotation } from '../../../src/controllers/objects/internal-annotations.ts';
import { replaceOwn } from '../../../src/controllers/objects/replace-own.ts';
import { namespaces, type Secret, secrets } from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { WaitingError } from '../../../src/kube/errors.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import { Kubectl } from '../../support/kubectl.ts';
import { rejection } from '../../support/rejection.ts';

const REASONS = ['Forbidden', 'Invalid'] as const;

/** Lets only what has the annotation be deleted, in the namespace of that name. */
const policyWith = (reason: (typeof REASONS)[number]) => `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: ${reason.toLowerCase()} }
spec:
  matchConstraints:
    resourceRules: [{ apiGroups: [''], apiVersions: [v1], operations: [DELETE], resources: [secrets] }]
  validations:
    - expression: oldObject.metadata.?annotations[?'${workForAnnotation}'].hasValue()
      message: this is not ours
      reason: ${reason}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: ${reason.toLowerCase()} }
spec:
  policyName: ${reason.toLowerCase()}
  validationActions: [Deny]
  matchResources:
    namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ${reason.toLowerCase()} } }
`;

describe('replaceOwn against a real API server', function () {
  this.timeout(60_000);
  let server: ApiServer;
  let client: KubeClient;
  let kubectl: Kubectl;

  before(kubernetesIsBuilt);
  before(async () => {
    server = await startApiServer();
    client = new KubeClient(server.kubeConfig());
    kubectl = await Kubectl.create(server.kubeConfigPath);
  });
  after(async () => {
    await kubectl?.remove();
    await client?.close();
    await server?.stop();
  });

  for (const reason of REASONS) {
    it(`replaces its own, and nothing that a policy keeps as ${reason}`, async () => {
      const namespace = reason.toLowerCase();
      const secret = (name: string, content: string, annotations: Record<string, string>): Secret => ({
        metadata: { namespace, name, annotations },
        stringData: { content },
      });
      const own = (name: string, content: string) => secret(name, content, { [workForAnnotation]: 'of-claim' });
      const contentOf = async (name: string) => {
        const found = await client.get(secrets, { namespace, name });
        return Buffer.from(found?.data?.['content'] ?? '', 'base64').toString();
      };
      await client.create(namespaces, { metadata: { name: namespace } });
      await kubectl.applyText(policyWith(reason));
      await eventually('the policy is in force', async () => {
        await client.create(secrets, secret('probe', '', {})).catch(() => undefined);
        return client.delete(secrets, { namespace, name: 'probe' }).then(
          () => false,
          () => true,
        );
      });

      await replaceOwn(client, secrets, own('ours', 'first'));
      await replaceOwn(client, secrets, own('ours', 'second'));
      expect(await contentOf('ours')).to.equal('second');

      await client.create(secrets, secret('theirs', 'precious', {}));
      const failure = await rejection(replaceOwn(client, secrets, own('theirs', 'ours now')));
      expect(failure).to.be.instanceOf(WaitingError).with.property('reason', 'ErrResourceExists');
      expect(failure).to.have.property('message').that.contains(`"${namespace}/theirs"`).and.contains('not ours');
      expect(await contentOf('theirs')).to.equal('precious');
    });
  }
});
