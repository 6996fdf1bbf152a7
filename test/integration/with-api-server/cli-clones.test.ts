import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { namespaces, persistentVolumeClaims } from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { Kubectl } from '../../support/kubectl.ts';
import { productCommand } from '../../support/product-command.ts';

describe('diskpress clones, of a real API server', function () {
  this.timeout(60_000);
  let server: ApiServer;

  const diskpress = async (...parameters: string[]) => {
    const env = { ...process.env, KUBECONFIG: server.kubeConfigPath };
    return (await promisify(execFile)(process.execPath, [...productCommand, ...parameters], { env })).stdout;
  };

  before(kubernetesIsBuilt);
  before(async () => {
    server = await startApiServer();
    const kubectl = await Kubectl.create(server.kubeConfigPath);
    await kubectl.run('apply', '-k', join(import.meta.dirname, '../../../crds'));
    await kubectl.run('wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all');
    await kubectl.remove();
    const client = new KubeClient(server.kubeConfig());
    await client.create(namespaces, { metadata: { name: 'team' } });
    await client.create(persistentVolumeClaims, {
      metadata: { name: 'vm-1', namespace: 'team', annotations: { 'k8s.io/CloneRequest': 'golden/fedora' } },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
    await client.close();
  });
  after(() => server?.stop());

  it('shows those of all namespaces, or of one', async () => {
    expect(await diskpress('clones', '-A')).to.match(/^NAMESPACE +NAME .*\nteam +vm-1 +golden\/fedora /);
    expect(await diskpress('clones', '-n', 'team')).to.include('vm-1');
    expect(await diskpress('clones', '-n', 'default')).to.equal('No clones are under way.\n');
  });

  it('goes on showing them until it is interrupted', async () => {
    const env = { ...process.env, KUBECONFIG: server.kubeConfigPath };
    const child = execFile(process.execPath, [...productCommand, 'clones', '--all-namespaces', '--watch'], { env });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    for await (const text of child.stdout ?? []) {
      if (String(text).includes('vm-1')) break;
    }
    child.kill('SIGINT');
    expect(await ended).to.equal(0);
  });

  it('says in one line that there is no such cluster', async () => {
    const env = { ...process.env, KUBECONFIG: '/nonexistent' };
    const refused = promisify(execFile)(process.execPath, [...productCommand, 'clones'], { env });
    const failure = await refused.then(
      () => undefined,
      (error: { stderr: string }) => error,
    );
    expect(failure?.stderr).to.match(/^diskpress: .*\n$/);
  });
});
