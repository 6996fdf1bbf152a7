import { expect } from 'chai';
import type { CDI } from '../../../../src/api/cdi.ts';
import { type DeploymentHealth, healthOf } from '../../../../src/controllers/cdi/deployment-health.ts';
import { observe, type Situation } from '../../../../src/controllers/cdi/observation.ts';
import { uninstallObstacle } from '../../../../src/controllers/cdi/uninstall.ts';
import type { Deployment, Pod } from '../../../../src/kube/builtin-resources.ts';

const deployment = (status: object, spec: object = {}): Deployment => ({
  metadata: { name: 'cdi-apiserver', generation: 3 },
  spec: { replicas: 2, ...spec } as never,
  status: { observedGeneration: 3, replicas: 2, updatedReplicas: 2, availableReplicas: 2, ...status },
});
const waiting = (reason: string, message?: string): Pod => ({
  metadata: { name: 'pod-1' },
  status: { containerStatuses: [{ state: { waiting: { reason, message } } } as never] },
});
const health = (found: Deployment | undefined, ...pods: Pod[]) => healthOf('cdi-apiserver', found, pods);

describe('a Deployment of the installation', () => {
  it('is complete with all replicas of the generation that was written last, and no older ones', () => {
    expect(health(deployment({}))).to.include({ isAvailable: true, isComplete: true, trouble: undefined });
    for (const status of [
      { observedGeneration: 2 },
      { updatedReplicas: 1 },
      { availableReplicas: 1 },
      { replicas: 3 },
      { availableReplicas: undefined },
    ])
      expect(health(deployment(status)), JSON.stringify(status)).to.include({ isComplete: false, trouble: undefined });
  });

  it('is available without replicas where none are wanted', () => {
    const none = { replicas: undefined, updatedReplicas: undefined, availableReplicas: undefined };
    expect(health(deployment(none, { replicas: 0 }))).to.include({ isAvailable: true, isComplete: true });
    expect(health(deployment(none))).to.include({ isAvailable: false, isComplete: false });
  });

  it('says why it does not get further', () => {
    const begun = deployment({ updatedReplicas: 1 });
    expect(health(begun, waiting('ContainerCreating')).trouble).to.equal(undefined);
    expect(health(begun, waiting('ImagePullBackOff', 'no such image')).trouble).to.equal(
      'pod "pod-1" is held up by ImagePullBackOff: no such image',
    );
    const unscheduled = {
      metadata: { name: 'pod-2' },
      status: {
        conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes' } as never],
      },
    };
    expect(health(begun, unscheduled).trouble).to.equal('pod "pod-2" is held up by Unschedulable: 0/1 nodes');
    const refused = [{ type: 'ReplicaFailure', status: 'True', message: 'no PriorityClass with name x' }];
    expect(health(deployment({ updatedReplicas: 0, conditions: refused })).trouble).to.equal(refused[0]?.message);
    const stuck = [{ type: 'Progressing', status: 'False', message: 'has timed out progressing' }];
    expect(health(deployment({ updatedReplicas: 1, conditions: stuck })).trouble).to.equal(stuck[0]?.message);
    expect(health(undefined).trouble).to.match(/missing/);
  });
});

describe('the status of the CDI object', () => {
  const complete: DeploymentHealth = {
    name: 'cdi-apiserver',
    isAvailable: true,
    isComplete: true,
    trouble: undefined,
  };
  const cdi = (status: CDI['status'] = {}, metadata: object = {}): CDI => ({
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'CDI',
    metadata: { name: 'cdi', ...metadata },
    spec: {},
    status,
  });
  const seen = (situation: Partial<Situation>) => {
    const observed = observe({
      cdi: cdi(),
      version: '2',
      deployments: [complete],
      refusals: [],
      uninstallBlocked: undefined,
      inForce: undefined,
      ...situation,
    });
    const conditions = observed.conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`);
    const message = observed.conditions.find(({ type }) => type === 'Degraded')?.message;
    return { ...observed, conditions, message };
  };
  const busy = { ...complete, isComplete: false };

  it('is Deploying until everything is there, and then Deployed', () => {
    const first = seen({ deployments: [complete, { ...busy, isAvailable: false }] });
    expect(first).to.include({ phase: 'Deploying', operatorVersion: '2', targetVersion: '2' });
    expect(first).to.not.have.property('observedVersion');
    expect(first.conditions).to.deep.equal([
      'Available=False DeployStarted',
      'Progressing=True DeployStarted',
      'Degraded=False DeployStarted',
    ]);
    const last = seen({});
    expect(last).to.include({ phase: 'Deployed', observedVersion: '2' });
    expect(last.conditions).to.deep.equal([
      'Available=True DeployCompleted',
      'Progressing=False DeployCompleted',
      'Degraded=False DeployCompleted',
    ]);
  });

  it('is Upgrading from another version, which is the observed one until the end', () => {
    const upgrade = seen({ cdi: cdi({ observedVersion: '1' }), deployments: [busy] });
    expect(upgrade).to.include({ phase: 'Upgrading', observedVersion: '1', targetVersion: '2' });
    expect(upgrade.conditions).to.include('Progressing=True UpgradeStarted');
    expect(seen({ cdi: cdi({ observedVersion: '1' }) })).to.include({ phase: 'Deployed', observedVersion: '2' });
  });

  it('stays Deployed while settings of the same version are rolled out', () => {
    const change = seen({ cdi: cdi({ observedVersion: '2' }), deployments: [busy] });
    expect(change.phase).to.equal('Deployed');
    expect(change.conditions).to.include('Progressing=True DeployStarted');
  });

  it('is Degraded by a Deployment that is held up, which is named, and by what was refused', () => {
    const stuck = { ...busy, trouble: 'pod "x" is held up by ImagePullBackOff' };
    const both = seen({ deployments: [stuck], refusals: ['customizeComponents.flags: no'] });
    expect(both.conditions).to.include('Degraded=True DeploymentDegraded');
    expect(both.message).to.equal(
      'Deployment "cdi-apiserver": pod "x" is held up by ImagePullBackOff; customizeComponents.flags: no',
    );
    expect(seen({ refusals: ['no'] }).conditions).to.include('Degraded=True SpecRefused');
  });

  it('is an Error of a second object, and Deleting of one that is deleted', () => {
    const second = seen({ inForce: 'cdi' });
    expect(second.phase).to.equal('Error');
    expect(second.message).to.match(/there is the CDI object "cdi" already/);
    const deleting = seen({ cdi: cdi({}, { deletionTimestamp: 'now' }), uninstallBlocked: 'there are DataVolumes' });
    expect(deleting.phase).to.equal('Deleting');
    expect(deleting.conditions).to.include('UninstallBlocked=True WorkloadsExist');
  });
});

describe('uninstalling', () => {
  const spec = { uninstallStrategy: 'BlockUninstallIfWorkloadsExist' } as const;
  const volumes = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ metadata: { namespace: 'team', name: `vm-${index}` } }) as never);

  it('is blocked by DataVolumes, some of which are named, where that is asked for', () => {
    expect(uninstallObstacle({ spec }, volumes(2))).to.match(/team\/vm-0, team\/vm-1\./);
    expect(uninstallObstacle({ spec }, volumes(9))).to.match(/team\/vm-4 and more\./);
    expect(uninstallObstacle({ spec }, volumes(8))).to.equal(uninstallObstacle({ spec }, volumes(9)));
    expect(uninstallObstacle({ spec }, [])).to.equal(undefined);
    expect(uninstallObstacle({ spec: {} }, volumes(1))).to.equal(undefined);
    expect(uninstallObstacle({ spec: { uninstallStrategy: 'RemoveWorkloads' } }, volumes(1))).to.equal(undefined);
  });
});
