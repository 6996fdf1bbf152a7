import { createServer } from 'node:http';
import { expect } from 'chai';
import type { ClusterAddresses } from '../cluster/index.ts';
import { status, up } from '../cluster/index.ts';
import { claim, claimFrom, namespace, pod, snapshotOf } from '../support/cluster-objects.ts';
import { Kubectl } from '../support/kubectl.ts';

const megabyte = 2 ** 20;

describe('the test cluster', function () {
  this.timeout(240_000);
  const here = `cluster-test-${process.pid}`;
  let cluster: ClusterAddresses;
  let kubectl: Kubectl;

  before(async function () {
    if (process.env.KUBECONFIG) this.skip();
    // The first time Kubernetes is built.
    this.timeout(30 * 60_000);
    cluster = await up({ log: (line) => console.log(`    ${line}`) });
    kubectl = await Kubectl.create(cluster.kubeconfig);
    await kubectl.apply(namespace(here));
  });

  after(async () => {
    await kubectl?.run('delete', 'namespace', here, '--wait=false');
    await kubectl?.remove();
  });

  const wait = (object: string, condition: string) =>
    kubectl.run('wait', '--namespace', here, object, `--for=${condition}`, '--timeout=90s');
  const logOfFinished = async (name: string) => {
    await wait(`pod/${name}`, 'jsonpath={.status.phase}=Succeeded');
    return kubectl.run('logs', '--namespace', here, name);
  };

  it('has all components running and every node Ready', async () => {
    const { nodes } = await status();
    const components = nodes.flatMap((node) => node.components);
    expect(components).to.have.length.above(10);
    expect(components.filter(({ pid }) => pid === undefined)).to.deep.equal([]);
    await kubectl.run('wait', 'node', '--all', '--for=condition=Ready', '--timeout=10s');
  });

  it('lets a restricted pod find services and the host, and nothing outside', async () => {
    const server = createServer((_request, response) => response.end('from the host'));
    await new Promise<void>((resolve) => server.listen(0, cluster.hostAddress, resolve));
    const { port } = server.address() as { port: number };
    try {
      const script = [
        'nslookup kubernetes.default.svc.cluster.local',
        `wget -q -O - http://host.diskpress.test:${port}/`,
        'echo',
        'nslookup no-such-name.example.com || echo unknown',
      ].join('\n');
      await kubectl.apply(pod('network', here, script));
      const log = await logOfFinished('network');
      expect(log).to.match(/Address: 10\.\d+\.128\.1$/m);
      expect(log).to.match(/^from the host$/m);
      expect(log).to.match(/NXDOMAIN/);
      expect(log).to.match(/^unknown$/m);
    } finally {
      server.close();
    }
  });

  it('provides volumes of both modes to pods that are not root', async () => {
    await kubectl.apply(claim('files', here, { bytes: 64 * megabyte }));
    await kubectl.apply(claim('device', here, { bytes: 64 * megabyte, volumeMode: 'Block' }));
    const script = [
      'echo content > /volumes/files/name',
      'dd if=/dev/zero of=/volumes/device bs=1M count=1 conv=notrunc 2>/dev/null',
      'echo content | dd of=/volumes/device bs=512 conv=notrunc 2>/dev/null',
      'sync; id -u',
    ].join('\n');
    await kubectl.apply(pod('writer', here, script, { files: 'Filesystem', device: 'Block' }));
    expect(await logOfFinished('writer')).to.equal('107');
  });

  it('snapshots, clones and grows volumes', async () => {
    await kubectl.apply(snapshotOf('files', 'picture', here));
    await wait('volumesnapshot/picture', 'jsonpath={.status.readyToUse}=true');
    const bytes = 128 * megabyte;
    await kubectl.apply(claimFrom('VolumeSnapshot', 'picture', 'restored', here, { bytes: 64 * megabyte }));
    await kubectl.apply(
      claimFrom('PersistentVolumeClaim', 'device', 'copied', here, { bytes: 64 * megabyte, volumeMode: 'Block' }),
    );
    const patch = JSON.stringify({ spec: { resources: { requests: { storage: `${bytes}` } } } });
    await wait('pvc/restored', 'jsonpath={.status.phase}=Bound');
    await kubectl.run('patch', 'pvc', 'restored', '--namespace', here, '--patch', patch);
    const script = 'cat /volumes/restored/name; head -c 7 /volumes/copied';
    await kubectl.apply(pod('reader', here, script, { restored: 'Filesystem', copied: 'Block' }));
    expect(await logOfFinished('reader')).to.equal('content\ncontent');
    await wait('pvc/restored', 'jsonpath={.status.capacity.storage}=128Mi');
  });

  it('has a storage class for everything that storage may lack', async () => {
    const classes = await kubectl.run('get', 'storageclass', '--output=name');
    expect(classes.split('\n').map((name) => name.replace('storageclass.storage.k8s.io/', ''))).to.include.members([
      'diskpress',
      'diskpress-snapshot',
      'diskpress-copy',
      'diskpress-no-expansion',
      'diskpress-wffc',
      'diskpress-local',
    ]);
  });

  it('serves local volumes that no one provisions', async () => {
    const storageClassName = 'diskpress-local';
    await kubectl.apply(claim('local', here, { bytes: megabyte, storageClassName }));
    await kubectl.apply(claim('local-device', here, { bytes: megabyte, storageClassName, volumeMode: 'Block' }));
    const script = 'echo content > /volumes/local/name; head -c 4 /volumes/local-device | wc -c';
    await kubectl.apply(pod('local', here, script, { local: 'Filesystem', 'local-device': 'Block' }));
    expect(await logOfFinished('local')).to.equal('4');
  });
});
