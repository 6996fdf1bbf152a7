import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stateAnnotation } from '../../../src/api/annotations.ts';
import { type DataVolume, dataVolumes, type DataVolumeStatus } from '../../../src/api/data-volume.ts';
import { namespaces, persistentVolumeClaims } from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { type ApiServer, type ApiServerOptions, startApiServer } from '../../support/api-server.ts';
import { Kubectl } from '../../support/kubectl.ts';
import { productCommand } from '../../support/product-command.ts';

/** What a tenant may have in mind: markup, a script, and an end of an attribute. */
export const HOSTILE = `<img src=x onerror=alert(1)>"><script>alert(2)</script>'\u202Egpj.exe`;

/** An API server with what the page shows, and nothing that acts on it. */
export class Rig {
  readonly api: ApiServer;
  readonly client: KubeClient;
  readonly #processes = new Set<ChildProcess>();

  private constructor(api: ApiServer) {
    this.api = api;
    this.client = new KubeClient(api.kubeConfig());
  }

  static async start(options: ApiServerOptions = {}): Promise<Rig> {
    const rig = new Rig(await startApiServer(options));
    const kubectl = await Kubectl.create(rig.api.kubeConfigPath);
    await kubectl.run('apply', '-k', join(import.meta.dirname, '../../../crds'));
    await kubectl.run('wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all');
    await kubectl.remove();
    for (const name of ['golden', 'red', 'blue']) await rig.client.create(namespaces, { metadata: { name } });
    return rig;
  }

  async stop(): Promise<void> {
    for (const child of this.#processes) child.kill('SIGKILL');
    await this.client.close();
    await this.api.stop();
  }

  async createDataVolume(
    namespace: string,
    name: string,
    status: DataVolumeStatus = {},
    source: DataVolume['spec']['source'] = { http: { url: `https://images.example/${name}.qcow2` } },
  ): Promise<DataVolume> {
    const made = await this.client.create(dataVolumes, {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'DataVolume',
      metadata: { namespace, name },
      spec: { source, storage: { resources: { requests: { storage: '10Gi' } } } },
    });
    await this.setStatus(namespace, name, status);
    return made;
  }

  async setStatus(namespace: string, name: string, status: DataVolumeStatus): Promise<void> {
    await this.client.mergePatch(dataVolumes, { namespace, name }, { status }, { subresource: 'status' });
  }

  /** Makes the claim of a clone that is copied, with what the controllers report on it. */
  async createCopiedClaim(owner: DataVolume): Promise<void> {
    const { namespace = '', name = '', uid = '' } = owner.metadata;
    await this.client.create(persistentVolumeClaims, {
      metadata: {
        namespace,
        name,
        ownerReferences: [{ apiVersion: owner.apiVersion, kind: 'DataVolume', name, uid, controller: true }],
        annotations: {
          [stateAnnotation.cloneType]: 'copy',
          [stateAnnotation.cloneFallbackReason]: 'IncompatibleProvisioners',
          [stateAnnotation.podPhase]: 'Running',
          [stateAnnotation.conditionRunning]: 'true',
          [stateAnnotation.populatorProgress]: '45.20%',
          'cdi.kubevirt.io/clone.plan': 'copy by pods, then rebind into red',
          'cdi.kubevirt.io/transfer.bytesPerSecond': String(180 * 2 ** 20),
        },
      },
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '10Gi' } },
        dataSourceRef: { apiGroup: 'cdi.kubevirt.io', kind: 'VolumeCloneSource', name: 'source' },
      },
    });
  }

  /** Starts the command of a user's, and resolves to the address that it prints. */
  async startCommand(...parameters: string[]): Promise<{ address: string; process: ChildProcess }> {
    const env = { ...process.env, KUBECONFIG: this.api.kubeConfigPath };
    const child = spawn(process.execPath, [...productCommand, 'dashboard', ...parameters], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#processes.add(child);
    const [address] = (await once(createInterface(child.stdout), 'line')) as [string];
    return { address, process: child };
  }
}
