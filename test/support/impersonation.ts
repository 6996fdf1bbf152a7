import { KubeConfig } from '@kubernetes/client-node';
import { KubeClient } from '../../src/kube/client.ts';

/** A client of a kubeconfig's cluster that acts as a user of this name, who may do what RBAC lets that user do. */
export function clientAs(kubeConfigPath: string, user: string): KubeClient {
  const own = new KubeConfig();
  own.loadFromFile(kubeConfigPath);
  const { clusters, contexts, currentContext, users } = own;
  const impersonating = new KubeConfig();
  impersonating.loadFromOptions({
    clusters,
    contexts,
    currentContext,
    users: users.map((each) => ({ ...each, impersonateUser: user })),
  });
  return new KubeClient(impersonating, { userAgent: `diskpress-test ${user}` });
}
