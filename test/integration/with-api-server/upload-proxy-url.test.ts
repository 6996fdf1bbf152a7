import { join } from 'node:path';
import { expect } from 'chai';
import { cdiConfigs } from '../../../src/api/cdi-config.ts';
import { createContext } from '../../../src/controllers/create-context.ts';
import { ingresses } from '../../../src/controllers/upload-proxy-url/resources.ts';
import { uploadProxyUrl } from '../../../src/controllers/upload-proxy-url/setup.ts';
import { configMaps, namespaces } from '../../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { Manager } from '../../../src/kube/manager.ts';
import { BUNDLE_KEY, bundleName } from '../../../src/protocol/installation.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { Kubectl } from '../../support/kubectl.ts';
import { silentLogger } from '../../support/logger.ts';
import { until } from '../../support/until.ts';

const CRDS = join(import.meta.dirname, '../../../crds');
const namespace = 'cdi';
const config = { namespace: '', name: 'config' };

describe('CDIConfig.status.uploadProxyURL', function () {
  this.timeout(120_000);
  let server: ApiServer;
  let client: KubeClient;
  let running: Promise<void>;
  const stop = new AbortController();

  before(kubernetesIsBuilt);
  before(async () => {
    server = await startApiServer();
    const kubectl = await Kubectl.create(server.kubeConfigPath);
    await kubectl.run('apply', '-k', CRDS);
    await kubectl.run('wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all');
    await kubectl.remove();
    const manager = new Manager({ kubeConfig: server.kubeConfig(), logger: silentLogger() });
    ({ client } = manager);
    await client.create(namespaces, { metadata: { name: namespace } });
    const context = createContext(manager, { image: 'image', namespace, version: 'test' });
    uploadProxyUrl.setup(manager, context);
    running = manager.run(stop.signal);
    await client.create(cdiConfigs, {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'CDIConfig',
      metadata: { name: 'config' },
      spec: {},
    });
    await client.mergePatch(cdiConfigs, config, { status: { preallocation: false } }, { subresource: 'status' });
  });
  after(async () => {
    stop.abort();
    await running;
    await server.stop();
  });

  const becomes = async (what: string, url: string | undefined, ca: string | undefined) => {
    const { status } = await until(
      client,
      cdiConfigs,
      config,
      what,
      (found) => found?.status?.uploadProxyURL === url && found?.status?.uploadProxyCA === ca && found,
      20_000,
    );
    expect(status?.preallocation).to.equal(false);
  };

  it('follows what leads to the upload proxy, and what the administrator says', async () => {
    const bundle = { metadata: { namespace, name: bundleName('uploadproxy') }, data: { [BUNDLE_KEY]: 'PEM' } };
    await client.create(configMaps, bundle);
    await becomes('the authority alone', undefined, 'PEM');
    await client.create(ingresses, {
      metadata: { namespace, name: 'upload' },
      spec: {
        rules: [
          {
            host: 'upload.example',
            http: {
              paths: [
                {
                  path: '/',
                  pathType: 'Prefix',
                  backend: { service: { name: 'cdi-uploadproxy', port: { number: 443 } } },
                },
              ],
            },
          },
        ],
      },
    });
    await becomes('the host of the Ingress', 'https://upload.example', 'PEM');
    await client.mergePatch(cdiConfigs, config, { spec: { uploadProxyURLOverride: '192.0.2.1:31001' } });
    await becomes('what was given', 'https://192.0.2.1:31001', 'PEM');
    await client.mergePatch(cdiConfigs, config, { spec: { uploadProxyURLOverride: null } });
    await becomes('the host of the Ingress again', 'https://upload.example', 'PEM');
    await client.delete(ingresses, { namespace, name: 'upload' });
    await becomes('no URL', undefined, 'PEM');
    await client.delete(configMaps, { namespace, name: bundleName('uploadproxy') });
    await becomes('nothing', undefined, undefined);
  });
});
