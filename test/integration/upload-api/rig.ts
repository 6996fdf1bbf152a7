import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificates } from '../../../src/controllers/certificates/setup.ts';
import { createContext } from '../../../src/controllers/create-context.ts';
import { namespaces } from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { Manager } from '../../../src/kube/manager.ts';
import { CLAIM_WEBHOOK_CONFIGURATION, UPLOAD_API_SERVICE } from '../../../src/protocol/installation.ts';
import { UploadApi } from '../../../src/services/apiserver/upload-api.ts';
import { Authority } from '../../cluster/pki.ts';
import { type ApiServer, startApiServer } from '../../support/api-server.ts';
import { deployFolder } from '../../support/deployed.ts';
import { eventually } from '../../support/eventually.ts';
import { Kubectl } from '../../support/kubectl.ts';
import { silentLogger } from '../../support/logger.ts';
import { freePorts } from '../../support/ports.ts';

export const TEAM = 'team';
const INSTALLATION = 'cdi';
const SERVICE_TOKEN = 'cdi-apiserver-token';

interface Running {
  readonly stop: () => Promise<void>;
}

/**
 * A real API server with everything that is installed, the controllers that make its certificates, and the upload API
 * behind it, each with the rights of its ServiceAccount.
 */
export class Rig {
  readonly server: ApiServer;
  readonly kubectl: Kubectl;
  /** With all rights. */
  readonly client: KubeClient;
  /** The authority that the API server's own certificate for the upload API is of. */
  readonly frontProxy: Authority;
  readonly #folder: string;
  #controllers: Running | undefined;
  #api: Running | undefined;
  #port = 0;

  private constructor(server: ApiServer, kubectl: Kubectl, folder: string, frontProxy: Authority) {
    this.server = server;
    this.kubectl = kubectl;
    this.client = new KubeClient(server.kubeConfig());
    this.frontProxy = frontProxy;
    this.#folder = folder;
  }

  /** @param tokens of more users, who have no rights: token to name */
  static async start(tokens: Readonly<Record<string, string>> = {}): Promise<Rig> {
    const folder = await mkdtemp(join(tmpdir(), 'upload-api-'));
    const authority = await Authority.create('front-proxy-authority');
    const { certificate, key } = await authority.issue({ commonName: 'front-proxy' });
    const file = async (name: string, content: string) => {
      await writeFile(join(folder, name), content);
      return join(folder, name);
    };
    const server = await startApiServer({
      tokens: { ...tokens, [SERVICE_TOKEN]: 'system:serviceaccount:cdi:cdi-apiserver' },
      args: [
        `--requestheader-client-ca-file=${await file('authority.crt', authority.certificate)}`,
        `--proxy-client-cert-file=${await file('client.crt', certificate)}`,
        `--proxy-client-key-file=${await file('client.key', key)}`,
        '--requestheader-allowed-names=front-proxy',
        '--requestheader-username-headers=X-Remote-User',
        '--requestheader-group-headers=X-Remote-Group',
        '--requestheader-extra-headers-prefix=X-Remote-Extra-',
      ],
    });
    const rig = new Rig(server, await Kubectl.create(server.kubeConfigPath), folder, authority);
    try {
      await rig.#install();
    } catch (error) {
      await rig.stop();
      throw error;
    }
    return rig;
  }

  /** The port of the upload API. */
  get port(): number {
    return this.#port;
  }

  async stop(): Promise<void> {
    await this.stopApi();
    await this.#controllers?.stop();
    await this.client.close();
    await this.kubectl.remove();
    await this.server.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Writes a file that goes with the rig, and resolves to its path. */
  async file(name: string, content: string): Promise<string> {
    await writeFile(join(this.#folder, name), content);
    return join(this.#folder, name);
  }

  /** Starts the upload API, at the port where the API server looks for it. */
  async startApi(): Promise<void> {
    const api = new UploadApi({
      kubeConfig: this.server.kubeConfig({ token: SERVICE_TOKEN }),
      namespace: INSTALLATION,
      logger: silentLogger(),
      port: this.#port,
      metricsPort: 0,
      host: '127.0.0.1',
      unreadyFor: 100,
    });
    const stopping = new AbortController();
    const running = api.run(stopping.signal);
    this.#api = {
      stop: async () => {
        stopping.abort();
        await running;
      },
    };
    await eventually(
      'the upload API is ready',
      async () => api.metricsPort !== undefined && (await fetch(`http://127.0.0.1:${api.metricsPort}/readyz`)).ok,
      20_000,
    );
  }

  async stopApi(): Promise<void> {
    await this.#api?.stop();
    this.#api = undefined;
  }

  /** The API server has found the upload API at its place, and trusts it. */
  async isAvailable(): Promise<void> {
    const condition = `--for=condition=Available=true`;
    await this.kubectl.run('wait', condition, '--timeout=60s', 'apiservice', UPLOAD_API_SERVICE);
  }

  async #install(): Promise<void> {
    const { kubectl } = this;
    const [port] = (await freePorts(1)) as [number];
    this.#port = port;
    await kubectl.run('apply', '-k', join(deployFolder, '../crds'));
    await kubectl.run('wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all');
    await kubectl.run('apply', '-k', deployFolder);
    // Nothing here has the addresses of pods: the Service leads to this process instead.
    const inNamespace = ['-n', INSTALLATION];
    await kubectl.run(...inNamespace, 'delete', 'service', 'cdi-api');
    await kubectl.run(...inNamespace, 'create', 'service', 'externalname', 'cdi-api', '--external-name=localhost');
    await kubectl.run(
      'patch',
      'apiservice',
      UPLOAD_API_SERVICE,
      '--type=merge',
      '-p',
      JSON.stringify({ spec: { service: { port } } }),
    );
    const lead = [{ op: 'replace', path: '/webhooks/0/clientConfig/service/port', value: port }];
    await kubectl.run(
      ...['patch', 'mutatingwebhookconfiguration', CLAIM_WEBHOOK_CONFIGURATION, '--type=json'],
      ...['-p', JSON.stringify(lead)],
    );
    await this.client.create(namespaces, { metadata: { name: TEAM } });
    await kubectl.create(
      JSON.stringify({ apiVersion: 'cdi.kubevirt.io/v1beta1', kind: 'CDI', metadata: { name: 'cdi' }, spec: {} }),
    );
    this.#controllers = await this.#startControllers();
  }

  async #startControllers(): Promise<Running> {
    const manager = new Manager({
      kubeConfig: this.server.kubeConfig({ token: this.server.controllersToken }),
      logger: silentLogger(),
    });
    certificates.setup(manager, createContext(manager, { image: 'image', namespace: INSTALLATION, version: 'test' }));
    const stopping = new AbortController();
    const running = manager.run(stopping.signal);
    running.catch(() => undefined);
    return {
      stop: async () => {
        stopping.abort();
        await running;
      },
    };
  }
}
