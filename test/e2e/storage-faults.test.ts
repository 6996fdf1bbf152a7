import { expect } from 'chai';
import { dataVolumes } from '../../src/api/data-volume.ts';
import { storageProfiles } from '../../src/api/storage-profile.ts';
import { storageClasses } from '../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../src/kube/key.ts';
import { controlNodeComponent, driverName } from '../cluster/index.ts';
import { conditionOf, dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { until } from '../support/until.ts';
import { readVolume } from '../support/volume-content.ts';
import { makeGolden } from './support/stages.ts';
import { Started } from './support/started.ts';
import { useSuite } from './support/suite.ts';
import { tracesIn, untilNothingElse } from './support/traces.ts';

interface Outage {
  readonly component: string;
  readonly role: 'csiClone' | 'snapshot';
  readonly size?: string;
  /** Where a clone comes to without it. */
  readonly phase: string;
}

const outages: Record<string, Outage> = {
  'the CSI driver': { component: 'csi-driver', role: 'csiClone', phase: 'CSICloneInProgress' },
  'the provisioner': { component: 'csi-provisioner', role: 'csiClone', phase: 'CSICloneInProgress' },
  'the snapshot controller': {
    component: 'snapshot-controller',
    role: 'snapshot',
    phase: 'SnapshotForSmartCloneInProgress',
  },
  'the snapshotter': { component: 'csi-snapshotter', role: 'snapshot', phase: 'SnapshotForSmartCloneInProgress' },
  'the resizer': { component: 'csi-resizer', role: 'csiClone', size: '400Mi', phase: 'PrepClaimInProgress' },
};

interface Refusal {
  readonly role: 'csiClone' | 'snapshot';
  readonly parameters: Record<string, string>;
  /** Where a clone stays. */
  readonly phase: string;
  /** What the driver says. */
  readonly message: RegExp;
}

/** Classes whose storage says no, to a clone of a volume of another class that is larger than it. */
const refusals: Record<string, Refusal> = {
  'that is full': {
    role: 'csiClone',
    parameters: { capacityBytes: '1048576' },
    phase: 'CSICloneInProgress',
    message: /has room for/,
  },
  'that is full, into which a snapshot is restored': {
    role: 'snapshot',
    parameters: { capacityBytes: '1048576' },
    phase: 'CloneFromSnapshotSourceInProgress',
    message: /has room for/,
  },
  'whose volumes do not grow after all': {
    role: 'csiClone',
    parameters: { expansion: 'false' },
    phase: 'PrepClaimInProgress',
    message: /cannot grow/,
  },
};

describe('storage that fails in the middle of a clone', function () {
  this.timeout(480_000);
  const suite = useSuite();
  const golden = new Started<ObjectKey>();

  before(function () {
    // The components of another cluster are not ours to stop, nor does its driver know our parameters.
    if (suite.classes.local === undefined) this.skip();
    for (const role of ['csiClone', 'snapshot'] as const) golden.start(role, () => makeGolden(suite, role));
  });

  for (const [what, { component, role, size, phase }] of Object.entries(outages)) {
    it(`is waited for: ${what}`, async () => {
      const key = suite.key(`without-${component}`);
      const source = { pvc: await golden.outcome(role) };
      await Promise.all([golden.outcome('csiClone'), golden.outcome('snapshot')]);
      await controlNodeComponent('stop', component);
      try {
        const options = { storageClassName: suite.classes[role], size };
        await suite.client.create(dataVolumes, dataVolume(key, source, options));
        await until(
          suite.client,
          dataVolumes,
          key,
          `it is in phase ${phase}`,
          (object) => object?.status?.phase === phase,
        );
      } finally {
        await controlNodeComponent('start', component);
      }
      await untilSucceeded(suite.client, key, 240_000);
      expect((await readVolume(suite, key, suite.disk.virtualSize)).sha256).to.equal(suite.disk.sha256);
    });
  }

  for (const [what, { role, parameters, phase, message }] of Object.entries(refusals)) {
    it(`is told on the DataVolume, and leaves nothing behind: a class ${what}`, async () => {
      const name = `refusing-${role}-${Object.keys(parameters).join('-')}`.toLowerCase();
      await suite.client.create(storageClasses, {
        metadata: { name },
        provisioner: driverName,
        parameters,
        allowVolumeExpansion: true,
      });
      await cloneBy(name, role === 'csiClone' ? 'csi-clone' : 'snapshot');
      try {
        const source = { pvc: await golden.outcome(role) };
        await Promise.all([golden.outcome('csiClone'), golden.outcome('snapshot')]);
        const namespaces = [suite.namespace, await suite.newNamespace()] as const;
        const before = await tracesIn(suite.client, namespaces);
        const key = { namespace: namespaces[1], name };
        await suite.client.create(dataVolumes, dataVolume(key, source, { storageClassName: name, size: '400Mi' }));
        const told = await until(suite.client, dataVolumes, key, 'it tells what the storage said', (object) => {
          const running = conditionOf(object, 'Running');
          return message.test(running?.message ?? '') ? object : undefined;
        });
        expect(told.status?.phase).to.equal(phase);
        await suite.client.delete(dataVolumes, key);
        await untilNothingElse(suite.client, namespaces, before);
      } finally {
        await suite.client.delete(storageClasses, { namespace: '', name });
      }
    });
  }

  /** Tells in the profile of a class how its volumes are cloned. */
  async function cloneBy(name: string, cloneStrategy: 'csi-clone' | 'snapshot'): Promise<void> {
    const key = { namespace: '', name };
    await until(suite.client, storageProfiles, key, 'it is there', (profile) => profile);
    await suite.client.mergePatch(storageProfiles, key, { spec: { cloneStrategy } });
    await until(suite.client, storageProfiles, key, 'it has the strategy', (profile) => {
      return profile?.status?.cloneStrategy === cloneStrategy;
    });
  }
});
