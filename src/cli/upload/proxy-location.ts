import { CDI_CONFIG_NAME, type CDIConfig, cdiConfigs } from '../../api/cdi-config.ts';
import { TransferError } from '../../base/errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { clusterFailures } from './cluster-failures.ts';

/**
 * Reads the settings of the cluster; undefined where there are none.
 *
 * @throws TransferError
 */
export function readConfig(client: KubeClient, signal: AbortSignal): Promise<CDIConfig | undefined> {
  return clusterFailures('reading the CDIConfig of the cluster', () =>
    client.get(cdiConfigs, { namespace: '', name: CDI_CONFIG_NAME }, { signal }),
  );
}

/**
 * Returns the URL of the upload proxy, without a path of its own.
 *
 * @param given by the user; undefined for what the cluster says
 * @throws TransferError where it is not known, or is no URL
 */
export function proxyUrl(config: CDIConfig | undefined, given: string | undefined): URL {
  const location = given || config?.spec.uploadProxyURLOverride || config?.status?.uploadProxyURL;
  if (!location) {
    throw new TransferError(
      'InvalidRequest',
      'the cluster does not say at which URL its upload proxy is reached (status.uploadProxyURL of CDIConfig config ' +
        'is empty): have Service cdi-uploadproxy exposed, or forward a port to it (kubectl -n cdi port-forward ' +
        'service/cdi-uploadproxy 8443:443) and add --uploadproxy-url https://localhost:8443',
    );
  }
  const url = URL.parse(/^[a-z]+:\/\//i.test(location) ? location : `https://${location}`);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new TransferError('InvalidUrl', `the URL of the upload proxy, ${location}, should be https://host[:port]`);
}
