import { KubeConfig } from '@kubernetes/client-node';
import { KubeClient } from './client.ts';

/** What kubectl would use. */
export interface Connection {
  readonly client: KubeClient;
  /** The namespace of the current context. */
  readonly namespace: string;
  /** The address of the API server. */
  readonly server: string;
}

/**
 * Returns a client of the cluster that kubectl would use: that of $KUBECONFIG, of ~/.kube/config, or the one that this
 * process runs in.
 *
 * @param userAgent the user agent of the requests
 * @throws Error if the current context names no cluster
 */
export function connect(userAgent: string): Connection {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromDefault();
  const context = kubeConfig.getContextObject(kubeConfig.getCurrentContext());
  return {
    client: new KubeClient(kubeConfig, { userAgent }),
    namespace: context?.namespace ?? 'default',
    server: kubeConfig.getCurrentCluster()?.server ?? '',
  };
}
