import { expect } from 'chai';
import type { Event, Pod } from '../../../src/kube/builtin-resources.ts';
import { podTrouble, warningsAbout } from '../../support/pod-trouble.ts';

type Status = NonNullable<Pod['status']>;
type Container = NonNullable<Status['containerStatuses']>[number];

const pod = (status: Status): Pod => ({ metadata: { namespace: 'cdi', name: 'controller' }, status });

const container = (status: Partial<Container>): Container => ({
  name: 'main',
  image: '',
  imageID: '',
  ready: false,
  restartCount: 0,
  ...status,
});

const event = (message: string, more: Partial<Event> = {}): Event => ({
  metadata: {},
  type: 'Warning',
  message,
  involvedObject: { kind: 'Pod', name: 'controller' },
  ...more,
});

const crashed = { terminated: { exitCode: 1, reason: 'Error' } };

describe('what is wrong with a pod', () => {
  it('is nothing where it is ready, or has done its work', () => {
    const conditions = [{ type: 'Ready', status: 'True' }];
    const running = container({ ready: true, state: { running: {} } });
    expect(podTrouble(pod({ phase: 'Running', conditions, containerStatuses: [running] }), [])).to.equal(undefined);
    const done = container({ state: { terminated: { exitCode: 0 } } });
    expect(podTrouble(pod({ phase: 'Succeeded', containerStatuses: [done] }), [])).to.equal(undefined);
  });

  it('is a crash that it has got over no more', () => {
    const conditions = [{ type: 'Ready', status: 'True' }];
    const recovered = container({ ready: true, restartCount: 1, state: { running: {} }, lastState: crashed });
    expect(podTrouble(pod({ phase: 'Running', conditions, containerStatuses: [recovered] }), [])).to.equal(undefined);
  });

  it('is what the scheduler says', () => {
    const conditions = [
      { type: 'PodScheduled', status: 'False', message: '0/1 nodes are available: 1 Insufficient cpu.' },
    ];
    expect(podTrouble(pod({ phase: 'Pending', conditions }), [])).to.deep.equal({
      cause: 'Pod cdi/controller cannot be scheduled: 0/1 nodes are available: 1 Insufficient cpu.',
    });
  });

  it('is an image that cannot be had', () => {
    const waiting = { reason: 'ImagePullBackOff', message: 'Back-off pulling image "localhost/none": not found' };
    expect(podTrouble(pod({ containerStatuses: [container({ state: { waiting } })] }), [])).to.deep.equal({
      cause: 'Pod cdi/controller, container main: ImagePullBackOff: Back-off pulling image "localhost/none": not found',
    });
  });

  it('is a crash, of which the run before the present one tells', () => {
    const log = { container: 'main', previous: true };
    for (const state of [{ waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } }, { running: {} }]) {
      const trouble = podTrouble(pod({ containerStatuses: [container({ state, lastState: crashed })] }), []);
      expect(trouble).to.deep.equal({ cause: 'Pod cdi/controller, container main: it ended with exit code 1', log });
    }
  });

  it('is the present run of a container where that has ended', () => {
    const killed = { terminated: { exitCode: 137, reason: 'OOMKilled', message: 'too large\n' } };
    const containers = [container({ state: killed, lastState: crashed })];
    expect(podTrouble(pod({ phase: 'Failed', containerStatuses: containers }), [])).to.deep.equal({
      cause: 'Pod cdi/controller, container main: it ended with OOMKilled, exit code 137 (too large)',
      log: { container: 'main', previous: false },
    });
  });

  it('is that of an init container, which the others wait for', () => {
    const initContainerStatuses = [container({ name: 'first', state: crashed })];
    const containerStatuses = [container({ state: { waiting: { reason: 'PodInitializing' } } })];
    expect(podTrouble(pod({ initContainerStatuses, containerStatuses }), [])?.log?.container).to.equal('first');
  });

  it('is what the kubelet warns of where no container has started', () => {
    const containerStatuses = [container({ state: { waiting: { reason: 'ContainerCreating' } } })];
    const events = [
      event('MountVolume.SetUp failed for volume "tls": secret "cdi-tls" not found'),
      event('of another', { involvedObject: { kind: 'Pod', name: 'other' } }),
      event('Scheduled', { type: 'Normal' }),
    ];
    expect(podTrouble(pod({ phase: 'Pending', containerStatuses }), events)).to.deep.equal({
      cause:
        'Pod cdi/controller has not started: MountVolume.SetUp failed for volume "tls": secret "cdi-tls" not found',
    });
  });

  it('is a probe that fails, and what the container says meanwhile', () => {
    const containerStatuses = [container({ state: { running: {} } })];
    const events = [event('Readiness probe failed: 503'), event('Readiness probe failed: 503')];
    expect(podTrouble(pod({ phase: 'Running', containerStatuses }), events)).to.deep.equal({
      cause: 'Pod cdi/controller is not ready: Readiness probe failed: 503',
      log: { container: 'main', previous: false },
    });
  });

  it('is its eviction', () => {
    expect(podTrouble(pod({ phase: 'Failed', message: 'The node was low on memory' }), [])?.cause).to.equal(
      'Pod cdi/controller has failed: The node was low on memory',
    );
  });
});

describe('what events warn of', () => {
  it('is why a pod could not be made, where that is asked for', () => {
    const quota = event('pods "x" is forbidden: exceeded quota', { involvedObject: { kind: 'ReplicaSet', name: 'x' } });
    expect(warningsAbout(undefined, [event('of a pod'), quota, quota])).to.deep.equal([quota.message]);
  });
});
