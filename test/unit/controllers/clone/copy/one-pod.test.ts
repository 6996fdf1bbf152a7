import { expect } from 'chai';
import { stateAnnotation } from '../../../../../src/api/annotations.ts';
import { dataVolumes } from '../../../../../src/api/data-volume.ts';
import {
  events,
  persistentVolumeClaims,
  type Pod,
  pods,
  secrets,
  services,
} from '../../../../../src/kube/builtin-resources.ts';
import { keyOf } from '../../../../../src/kube/key.ts';
import { temporaryClaimName } from '../../../../../src/protocol/object-names.ts';
import { copyVolumeRequest } from '../../../../../src/protocol/transfer-pod.ts';
import { act } from '../../world/actions.ts';
import { TEAM } from '../../world/installation.ts';
import { World } from '../../world/world.ts';
import { DISK } from '../../world/writings.ts';

const own = { namespace: TEAM, name: 'own' };
const disk = { namespace: TEAM, name: DISK };
const ENOUGH = 30;

describe('a copy in one pod', () => {
  async function copying(volumeMode: 'Filesystem' | 'Block' = 'Filesystem') {
    const world = await World.of({ cloneStrategy: 'copy', hasAnnotationPolicy: true });
    world.api.change('cluster', persistentVolumeClaims, own, (claim) => ({
      ...claim,
      spec: { ...claim.spec, volumeMode },
    }));
    const said: string[] = [];
    const look = world.law.lookAtEvent.bind(world.law);
    world.law.lookAtEvent = (about, reason) => {
      said.push(reason);
      look(about, reason);
    };
    const spec = { source: { pvc: own } };
    await act(world, { make: 'data-volume', name: DISK, annotations: {}, owners: [], spec });
    return { world, said };
  }

  async function until<T>(world: World, find: () => T | undefined): Promise<T> {
    for (let round = 0; round < ENOUGH; round += 1) {
      const found = find();
      if (found !== undefined) return found;
      await world.round();
    }
    throw new Error('it does not come to that');
  }

  const podsOf = ({ api }: World): Pod[] => api.list(pods);
  const rolesIn = (world: World) => podsOf(world).map(({ spec }) => spec?.containers[0]?.name);
  const untilSucceeded = (world: World) =>
    until(world, () => (world.api.find(dataVolumes, disk)?.status?.phase === 'Succeeded' ? true : undefined));

  it('has both volumes, the source for reading, and needs neither keys nor a Service', async () => {
    const { world } = await copying();
    const pod = await until(world, () => podsOf(world)[0]);
    const { volumes = [], containers = [] } = pod.spec ?? {};
    const mounted = volumes.flatMap(({ name, persistentVolumeClaim }) =>
      persistentVolumeClaim ? [[name, persistentVolumeClaim.claimName, persistentVolumeClaim.readOnly ?? false]] : [],
    );
    const uid = world.api.find(persistentVolumeClaims, disk)?.metadata?.uid ?? '';
    expect(mounted).to.have.deep.members([
      ['data', temporaryClaimName(uid), false],
      ['source', 'own', true],
    ]);
    expect(containers[0]?.volumeMounts).to.deep.include({ name: 'source', mountPath: '/source', readOnly: true });
    expect([...world.api.list(secrets), ...world.api.list(services)]).to.deep.equal([]);
    await untilSucceeded(world);
    const volume = world.data.volumeOf(disk)?.metadata?.name;
    expect(world.data.of(volume)).to.deep.equal(['team/own']);
    await act(world, { rounds: 3 });
    expect(podsOf(world)).to.deep.equal([]);
  });

  it('says what it is asked for, also of devices', async () => {
    const { world } = await copying('Block');
    const { spec } = await until(world, () => podsOf(world)[0]);
    const [{ env = [], volumeDevices } = {}] = spec?.containers ?? [];
    const request: unknown = JSON.parse(
      env.find(({ name }) => name === 'DISKPRESS_COPY_VOLUME_REQUEST')?.value ?? 'null',
    );
    const { sourceVolumeMode, target } = copyVolumeRequest.parse(request);
    const device = { name: 'source', devicePath: '/dev/cdi-source-volume' };
    expect(sourceVolumeMode).to.equal('Block');
    expect(volumeDevices).to.deep.equal(
      target.volumeMode === 'Block' ? [{ name: 'data', devicePath: '/dev/cdi-block-volume' }, device] : [device],
    );
  });

  type Condition = NonNullable<NonNullable<Pod['status']>['conditions']>[number];

  const pending = (world: World, pod: Pod, condition: Partial<Condition>, more: readonly Condition[] = []) => {
    const lastTransitionTime = String(pod.metadata?.creationTimestamp);
    return world.api.change('cluster', pods, keyOf(pod), (found) => ({
      ...found,
      status: {
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'False', lastTransitionTime, ...condition }, ...more],
      },
    }));
  };
  const unschedulable = (world: World, pod: Pod, reason = 'Unschedulable') => pending(world, pod, { reason });

  it('becomes one in two where no node takes it, which is said once', async () => {
    const { world, said } = await copying();
    unschedulable(world, await until(world, () => podsOf(world)[0]));
    await world.round();
    expect(rolesIn(world)).to.deep.equal(['copy-volume']);
    await until(world, () => (rolesIn(world).length === 2 ? true : undefined));
    expect(rolesIn(world)).to.have.members(['copy-source', 'copy-target']);
    await untilSucceeded(world);
    expect(said.filter((reason) => reason === 'CopyByTwoPods')).to.have.length(1);
    expect(world.data.of(world.data.volumeOf(disk)?.metadata?.name)).to.deep.equal(['team/own']);
  });

  it('becomes one in two also where the controllers are restarted meanwhile', async () => {
    const { world } = await copying();
    unschedulable(world, await until(world, () => podsOf(world)[0]));
    await until(world, () => (rolesIn(world).includes('copy-volume') ? undefined : true));
    world.restart();
    await until(world, () => (rolesIn(world).length === 2 ? true : undefined));
    expect(rolesIn(world)).to.have.members(['copy-source', 'copy-target']);
    await untilSucceeded(world);
  });

  it('becomes one in two where the scheduler keeps failing, but not where somebody holds the pod back', async () => {
    const { world, said } = await copying();
    unschedulable(world, await until(world, () => podsOf(world)[0]), 'SchedulingGated');
    await act(world, { rounds: 15 });
    expect(rolesIn(world)).to.deep.equal(['copy-volume']);
    unschedulable(world, podsOf(world)[0]!, 'SchedulerError');
    await until(world, () => (rolesIn(world).length === 2 ? true : undefined));
    await untilSucceeded(world);
    expect(said.filter((reason) => reason === 'CopyByTwoPods')).to.have.length(1);
  });

  describe('whose node does not mount both volumes', () => {
    async function mounting(warning: string, more: readonly Condition[] = []) {
      const { world, said } = await copying();
      const pod = await until(world, () => podsOf(world)[0]);
      pending(world, pod, { status: 'True' }, more);
      world.api.create('cluster', events, {
        metadata: { namespace: TEAM, name: 'warning' },
        involvedObject: { uid: pod.metadata?.uid ?? '' },
        type: 'Warning',
        reason: warning,
        message: 'the limit of the node is reached',
      });
      return { world, said };
    }

    it('becomes one in two after minutes, is resumed, and says why once', async () => {
      const { world, said } = await mounting('FailedAttachVolume');
      await act(world, { rounds: 25 });
      expect(rolesIn(world)).to.deep.equal(['copy-volume']);
      await until(world, () => (rolesIn(world).length === 2 ? true : undefined));
      await untilSucceeded(world);
      expect(said.filter((reason) => reason === 'CopyByTwoPods')).to.have.length(1);
      expect(world.data.of(world.data.volumeOf(disk)?.metadata?.name)).to.deep.equal(['team/own']);
    });

    it('stays one where something else is the matter, or the volumes are mounted', async () => {
      const mounted = { type: 'PodReadyToStartContainers', status: 'True' };
      for (const { world, said } of [
        await mounting('FailedCreatePodSandBox'),
        await mounting('FailedMount', [mounted]),
      ]) {
        await act(world, { rounds: 40 });
        expect(rolesIn(world)).to.deep.equal(['copy-volume']);
        expect(said).to.not.include('CopyByTwoPods');
      }
    });
  });

  it('is begun again with one pod where that has failed', async () => {
    const { world } = await copying();
    const pod = await until(world, () => podsOf(world)[0]);
    const terminated = { exitCode: 137, finishedAt: String(pod.metadata?.creationTimestamp) };
    world.api.change('cluster', pods, keyOf(pod), (found) => ({
      ...found,
      status: { phase: 'Failed', containerStatuses: [{ name: 'copy-volume', state: { terminated } } as never] },
    }));
    const next = await until(world, () => podsOf(world).find(({ metadata }) => metadata?.uid !== pod.metadata?.uid));
    expect(next.spec?.containers[0]?.name).to.equal('copy-volume');
    expect(next.metadata?.annotations?.[stateAnnotation.podRestarts]).to.equal('1');
    await untilSucceeded(world);
  });

  for (const isTaken of [true, false]) {
    it(`is complete wherever the controllers are killed, where ${isTaken ? 'a' : 'no'} node takes the pod`, async () => {
      let wasKilled = true;
      for (let requests = 0; wasKilled; requests += 1) {
        const { world } = await copying();
        wasKilled = false;
        world.interrupt(requests, () => kill(), ['clone-populator', 'copy']);
        const kill = (): never => {
          wasKilled = true;
          throw new Killed();
        };
        for (let round = 0; round < ENOUGH; round += 1) {
          const pod = podsOf(world).find(({ spec }) => spec?.containers[0]?.name === 'copy-volume');
          if (!isTaken && pod?.status === undefined && pod !== undefined) unschedulable(world, pod);
          await world.round().catch((error: unknown) => {
            if (!(error instanceof Killed)) throw error;
            world.restart();
          });
        }
        const when = `killed before request ${requests}`;
        expect(world.api.find(dataVolumes, disk)?.status?.phase, when).to.equal('Succeeded');
        expect(world.data.of(world.data.volumeOf(disk)?.metadata?.name), when).to.deep.equal(['team/own']);
        expect([...podsOf(world), ...world.api.list(secrets), ...world.api.list(services)], when).to.deep.equal([]);
        expect(world.law.breaches, when).to.deep.equal([]);
      }
    });
  }
});

class Killed extends Error {}
