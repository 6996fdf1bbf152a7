import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { run } from '../cluster/commands.ts';
import { clusterName } from '../cluster/identity.ts';
import { namespace, pod } from '../support/cluster-objects.ts';
import { eventually } from '../support/eventually.ts';
import { Kubectl } from '../support/kubectl.ts';
import { tracesOf } from './cluster-traces.ts';

const command = [process.execPath, 'test/cluster/cli.ts'] as const;

describe('a test cluster of its own', function () {
  this.timeout(180_000);
  const name = `${clusterName()}-lifecycle`;
  const env = { DISKPRESS_CLUSTER: name };
  const cluster = (...args: string[]) => run(command[0], [command[1], ...args], { env });

  before(function () {
    if (process.env.KUBECONFIG) this.skip();
  });

  after(() => cluster('down'));

  it('leaves nothing when it is removed while it is being made', async () => {
    await killedWhile('starting node1');
    expect(Object.keys(await tracesOf(name))).to.include.members(['namespaces', 'loop devices', 'folder']);
    await cluster('down');
    expect(await tracesOf(name)).to.deep.equal({});
  });

  it('is made whole by "up" after one that was killed, with as many nodes as asked for', async () => {
    await killedWhile('waiting for the API server');
    await cluster('up', '--nodes', '2');
    await cluster('status');
    const kubectl = await Kubectl.create(await cluster('kubeconfig'));
    try {
      const nodes = await kubectl.run('get', 'nodes', '--output=name');
      expect(nodes.split('\n')).to.deep.equal(['node/node1', 'node/node2']);
      await kubectl.apply(namespace('across'));
      await kubectl.apply(
        onNode('node1', pod('server', 'across', 'echo hello > /tmp/index.html; httpd -f -p 8080 -h /tmp')),
      );
      await kubectl.run('expose', 'pod', 'server', '--namespace=across', '--port=80', '--target-port=8080');
      // A connection that is begun before kube-proxy knows the service gets nowhere, however long it waits.
      const script = 'until timeout 2 wget -q -O - http://server.across/; do sleep 0.2; done';
      await kubectl.apply(onNode('node2', pod('client', 'across', script)));
      // Until it gets there, it tells of attempts that fail.
      await eventually(
        'the pod on one node reaching the service on the other',
        async () => (await kubectl.run('logs', '--namespace=across', 'client')).split('\n').at(-1) === 'hello',
        60_000,
      );
    } finally {
      await kubectl.remove();
    }
  });

  it('starts a component again that was restarted or stopped', async () => {
    await cluster('stop', 'kube-scheduler');
    await cluster('status').then(
      () => expect.fail('a stopped component is not whole'),
      (error: Error) => expect(error.message).to.match(/kube-scheduler +stopped/),
    );
    await cluster('restart', 'kube-apiserver', '--signal', 'SIGKILL');
    await cluster('up');
    await cluster('status');
  });

  it('leaves nothing behind', async () => {
    const before = await tracesOf(name);
    expect(before).to.have.all.keys(
      'namespaces',
      'links',
      'routes',
      'loop devices',
      'control groups',
      'processes',
      'folder',
    );
    await cluster('down');
    expect(await tracesOf(name)).to.deep.equal({});
    await cluster('down');
  });

  async function killedWhile(step: string): Promise<void> {
    const child = spawn(command[0], [command[1], 'up'], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = once(child, 'close');
    for await (const line of createInterface(child.stderr)) {
      if (line.includes(step)) {
        child.kill('SIGKILL');
      }
    }
    expect(await ended).to.deep.equal([null, 'SIGKILL']);
  }
});

function onNode(nodeName: string, object: object): object {
  const { spec, ...rest } = object as { spec: object };
  return { ...rest, spec: { ...spec, nodeName } };
}
