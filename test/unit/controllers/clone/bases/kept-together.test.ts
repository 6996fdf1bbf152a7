import { expect } from 'chai';
import { stateAnnotation, userAnnotation } from '../../../../../src/api/annotations.ts';
import { promisedToAnnotation } from '../../../../../src/controllers/objects/internal-annotations.ts';
import { persistentVolumeClaims, type Pod, pods } from '../../../../../src/kube/builtin-resources.ts';
import { keyOf } from '../../../../../src/kube/key.ts';
import { type VolumeSnapshot, volumeSnapshots } from '../../../../../src/kube/snapshot-resources.ts';
import {
  CHANGED_RANGES_FILE,
  COPY_VOLUME_REQUEST_VARIABLE,
  type CopyVolumeRequest,
  copyVolumeRequest,
} from '../../../../../src/protocol/transfer-pod.ts';
import { refusal } from '../../world/api.ts';
import { TEAM } from '../../world/installation.ts';
import { CHANGED, IncrementalWorld, SOURCE } from './incremental-world.ts';

const RESTORE_PROTECTION = 'provisioner.storage.kubernetes.io/volumesnapshot-as-source-protection';

describe('what is kept of a copy for the next one belongs together, so copies', () => {
  it('send everything, and keep nothing, where a pod takes the place of one before', async () => {
    const incremental = await IncrementalWorld.of();
    const { world } = incremental;
    await incremental.copy('first');
    const kept = incremental.kept().map(({ metadata }) => metadata?.uid);
    incremental.begin('second');
    const made: Pod[] = [];
    world.api.onWrite(({ resource, before, after }) => {
      if (resource.kind === 'Pod' && !before && after?.metadata?.name?.startsWith('cdi-upload-')) made.push(after);
    });
    for (let round = 0; round < 40 && made.length === 0; round++) {
      await world.round('late Kubernetes');
      if (made.length === 0) world.kubernetes();
    }
    for (const pod of made) world.api.delete('cluster', pods, keyOf(pod));
    const writer = { namespace: TEAM, name: 'writer' };
    const volumes = [{ name: 'disk', persistentVolumeClaim: { claimName: SOURCE.name } }];
    world.api.create('cluster', pods, { metadata: writer, spec: { containers: [], volumes } });
    await world.round('late Kubernetes');
    await world.round('late Kubernetes');
    world.api.delete('cluster', pods, writer);
    await incremental.settled('second');
    expect(incremental.phaseOf('second')).to.equal('Succeeded');
    const [before, after] = made.map(requestOf);
    expect(made.map(filesOf)).to.deep.equal([[CHANGED_RANGES_FILE], []]);
    // What had arrived is of what the source was before.
    expect(after?.transfer).to.match(new RegExp(`^${before?.transfer} .`));
    expect(incremental.events).to.include(
      'IncrementalCloneImpossible: The whole volume is copied, as a pod of this copy has been replaced',
    );
    expect(incremental.kept().map(({ metadata }) => metadata?.uid)).to.have.members(kept);
    expect(incremental.snapshots()).to.have.length(2);
  });

  it('know what has changed also where one pod found no node, and two take its place', async () => {
    const incremental = await IncrementalWorld.of();
    const { world } = incremental;
    await incremental.copy('first');
    const before = incremental.kept().map(({ metadata }) => metadata?.uid);
    let wasGivenUp = false;
    world.api.onWrite(({ resource, before: earlier, after }) => {
      if (resource.kind !== 'Pod' || earlier || wasGivenUp || !after?.metadata?.name?.startsWith('cdi-upload-')) return;
      wasGivenUp = true;
      const lastTransitionTime = String(after.metadata.creationTimestamp);
      const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', lastTransitionTime };
      world.api.change('cluster', pods, keyOf(after), (pod) => ({
        ...pod,
        status: { phase: 'Pending', conditions: [condition] },
      }));
    });
    incremental.begin('second');
    await incremental.settled('second');
    expect(incremental.phaseOf('second')).to.equal('Succeeded');
    expect(incremental.events.some((event) => event.startsWith('CopyByTwoPods'))).to.equal(true);
    expect(incremental.sent.at(-1)).to.deep.equal(CHANGED);
    const after = incremental.kept().map(({ metadata }) => metadata?.uid);
    expect(after).to.have.length(2);
    expect(after).not.to.include.members(before);
  });

  it('keep no snapshot of a copy with one of the source that is of another time', async () => {
    for (const why of ['made anew', 'begun otherwise'] as const) {
      const incremental = await IncrementalWorld.of(why === 'made anew' ? {} : { cloneStrategy: 'snapshot' as const });
      const { world } = incremental;
      let earlier: VolumeSnapshot | undefined;
      world.api.onWrite(({ resource, before, after }) => {
        const isOfTarget = after?.metadata?.name === `tmp-snapshot-${incremental.claim('first')?.metadata?.uid}`;
        if (resource.kind === 'VolumeSnapshot' && !before && isOfTarget) earlier ??= after as VolumeSnapshot;
      });
      incremental.begin('first');
      for (let round = 0; round < 60 && !earlier; round++) await world.round();
      expect(earlier, why).not.to.equal(undefined);
      if (why === 'made anew') {
        const working = world.api.list(persistentVolumeClaims).filter((claim) => keyOf(claim).name.startsWith('tmp-'));
        for (const claim of working) world.api.delete('tenant', persistentVolumeClaims, keyOf(claim));
      } else {
        world.api.change('author', persistentVolumeClaims, { namespace: TEAM, name: 'first' }, (claim) => ({
          ...claim,
          metadata: {
            ...claim.metadata,
            annotations: { ...claim.metadata?.annotations, [stateAnnotation.cloneType]: 'copy' },
          },
        }));
      }
      await incremental.settled('first');
      expect(incremental.phaseOf('first'), why).to.equal('Succeeded');
      expect(
        incremental.kept().map(({ metadata }) => metadata?.uid),
        why,
      ).not.to.include(earlier?.metadata?.uid);
      expect(incremental.snapshots(), why).to.have.members(incremental.kept());
    }
  });

  it('are complete where the policy of a snapshot’s content may not be changed', async () => {
    const incremental = await IncrementalWorld.of({
      authorize: ({ verb, resource }) => {
        if (verb === 'patch' && resource.kind === 'VolumeSnapshotContent')
          throw refusal(403, 'Forbidden', 'not allowed');
      },
    });
    await incremental.copy('first');
    expect(incremental.phaseOf('first')).to.equal('Succeeded');
    expect(incremental.kept()).to.deep.equal([]);
    expect(incremental.events.filter((event) => event.startsWith('CloneBaseNotKept'))).to.have.length(1);
  });

  it('leave no snapshot that the provisioner holds for a restore that was given up', async () => {
    const incremental = await IncrementalWorld.of();
    const { world } = incremental;
    await incremental.copy('first');
    for (const snapshot of incremental.kept()) {
      world.api.change('cluster', volumeSnapshots, keyOf(snapshot), (found) => ({
        ...found,
        metadata: { ...found.metadata, finalizers: [...(found.metadata?.finalizers ?? []), RESTORE_PROTECTION] },
      }));
    }
    incremental.annotate({ [userAnnotation.incrementalClone]: undefined });
    await incremental.rounds(8);
    expect(incremental.snapshots()).to.deep.equal([]);
  });

  it('hand no volume over of which a snapshot is still to be taken', async () => {
    const incremental = await IncrementalWorld.of();
    const { world } = incremental;
    const isOfTarget = ({ spec }: VolumeSnapshot) => spec.source.persistentVolumeClaimName?.startsWith('tmp-pvc-');
    let wasThere = false;
    world.api.onWrite(({ resource, before, after }) => {
      if (resource.kind === 'VolumeSnapshot' && !before && isOfTarget(after as VolumeSnapshot)) {
        wasThere = true;
        world.api.change('cluster', volumeSnapshots, keyOf(after as VolumeSnapshot), (snapshot) => ({
          ...snapshot,
          status: { readyToUse: false, error: { message: 'rpc error: code = Unavailable desc = try later' } },
        }));
      }
      if (resource.kind !== 'PersistentVolume' || after?.metadata?.annotations?.[promisedToAnnotation] === undefined)
        return;
      expect(world.api.list(volumeSnapshots).filter(isOfTarget)).to.deep.equal([]);
    });
    incremental.begin('first');
    await incremental.settled('first');
    expect(wasThere).to.equal(true);
    expect(incremental.phaseOf('first')).to.equal('Succeeded');
    expect(incremental.snapshots()).to.deep.equal([]);
  });
});

function requestOf({ spec }: Pod): CopyVolumeRequest | undefined {
  const variables = spec?.containers.flatMap(({ env = [] }) => env) ?? [];
  const request = variables.find(({ name }) => name === COPY_VOLUME_REQUEST_VARIABLE)?.value;
  return request === undefined ? undefined : copyVolumeRequest.parse(JSON.parse(request));
}

/** The lists of ranges that a pod is given. */
function filesOf({ spec }: Pod): string[] {
  const items = spec?.volumes?.flatMap(({ secret }) => secret?.items ?? []) ?? [];
  return items.map(({ key }) => key).filter((key) => key === CHANGED_RANGES_FILE);
}
