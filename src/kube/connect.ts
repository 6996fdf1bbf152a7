import { KubeConfig } from '@kubernetes/client-node';
import { KubeClient } from './client.ts';

/**
 * Returns a client of the cluster that kubectl would use: that of $KUBECONFIG, of ~/.kube/config, or the one that this
 * process runs in.
 *
 * @param userAgent the user agent of the requests
 * @returns the client, and the namespace of the current context
 * @throws Error if the current context names no cluster
 */
export function connect(userAgent: string): { client: KubeClient; namespace: string } {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromDefault();
  const context = kubeConfig.getContextObject(kubeConfig.getCurrentContext());
  return { client: new KubeClient(kubeConfig, { userAgent }), namespace: context?.namespace ?? 'default' };
}
