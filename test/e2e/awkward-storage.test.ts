import { expect } from 'chai';
import { type DataVolume, dataVolumes, type DataVolumeSpec } from '../../src/api/data-volume.ts';
import { parseQuantity } from '../../src/api/quantity.ts';
import { diskOfVolume } from '../../src/base/filesystem-sizes.ts';
import { persistentVolumeClaims, pods } from '../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../src/kube/key.ts';
import { volumeSnapshots } from '../../src/kube/snapshot-resources.ts';
import { type ClaimOptions, conditionOf, dataVolume } from '../support/data-volumes.ts';
import { diskFile } from '../support/disk-images.ts';
import { eventually } from '../support/eventually.ts';
import { SecondStorage } from '../support/second-storage.ts';
import { until } from '../support/until.ts';
import { readVolume, type VolumeContent } from '../support/volume-content.ts';
import { webPath } from '../support/web-server.ts';
import { hasOwnDriver } from './support/own-classes.ts';
import { Started } from './support/started.ts';
import { useSuite } from './support/suite.ts';
import { followTold, type Told } from './support/told.ts';

const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;
const LONGEST_SILENCE = 10_000;

/** Rounds up, tells used bytes as restoreSize, and takes three seconds for every call. */
const AWKWARD = {
  enforceSize: 'true',
  roundUpBytes: String(GIBIBYTE),
  restoreSize: 'used',
  callSeconds: '3',
};

interface Way {
  readonly source: (golden: Golden) => Promise<DataVolumeSpec['source']>;
  readonly options: ClaimOptions;
  /** Bytes of the claim's volume. */
  readonly capacity: number;
  readonly cloneType?: string;
}

interface Golden {
  readonly claim: () => Promise<ObjectKey>;
  readonly snapshot: () => Promise<ObjectKey>;
}

const ofClaim = async ({ claim }: Golden) => ({ pvc: await claim() });
const ofSnapshot = async ({ snapshot }: Golden) => ({ snapshot: await snapshot() });

const ways: Record<string, Way> = {
  'a blank disk': {
    source: async () => ({ blank: {} }),
    options: { storageClassName: 'awkward' },
    capacity: GIBIBYTE,
  },
  'a clone by the driver': {
    source: ofClaim,
    options: { storageClassName: 'awkward' },
    capacity: GIBIBYTE,
    cloneType: 'csi-clone',
  },
  'a clone that grows': {
    source: ofClaim,
    options: { storageClassName: 'awkward', size: '1500Mi' },
    capacity: 2 * GIBIBYTE,
    cloneType: 'csi-clone',
  },
  'a clone by snapshot': {
    source: ofClaim,
    options: { storageClassName: 'awkward-snapshot' },
    capacity: GIBIBYTE,
    cloneType: 'snapshot',
  },
  'a restored snapshot': {
    source: ofSnapshot,
    options: { storageClassName: 'awkward' },
    capacity: GIBIBYTE,
    cloneType: 'snapshot',
  },
  'a restored snapshot that grows': {
    source: ofSnapshot,
    options: { storageClassName: 'awkward', size: '1500Mi' },
    capacity: 2 * GIBIBYTE,
    cloneType: 'snapshot',
  },
  'a copy': {
    source: ofClaim,
    options: { storageClassName: 'awkward-copy' },
    capacity: GIBIBYTE,
    cloneType: 'copy',
  },
  'a copy of a snapshot to a device': {
    source: ofSnapshot,
    options: { storageClassName: 'awkward', volumeMode: 'Block' },
    capacity: GIBIBYTE,
    cloneType: 'copy',
  },
};

describe('storage that is awkward', function () {
  this.timeout(900_000);
  const suite = useSuite();
  const finished = new Started<{ told: Told; capacity: number; cloneType?: string; content?: VolumeContent }>();
  let storage: SecondStorage | undefined;

  before(async function () {
    if (!hasOwnDriver(suite)) this.skip();
    storage = await SecondStorage.start(suite, 'awkward', { storageCapacity: true });
    await storage.addClass('awkward', { parameters: AWKWARD });
    await storage.addClass('awkward-snapshot', { parameters: AWKWARD, cloneStrategy: 'snapshot' });
    await storage.addClass('awkward-copy', { parameters: AWKWARD, cloneStrategy: 'copy' });
    await storage.addClass('awkward-waiting', {
      parameters: AWKWARD,
      volumeBindingMode: 'WaitForFirstConsumer',
    });
    const url = `${suite.web.url}${webPath.plain}/${diskFile.qcow2}`;
    finished.start('an import', () => fill('an import', { http: { url } }, { storageClassName: 'awkward' }));
    const claim = async () => {
      await finished.outcome('an import');
      return keyOf('an import');
    };
    let taken: Promise<ObjectKey> | undefined;
    const golden = { claim, snapshot: () => (taken ??= claim().then(snapshotOf)) };
    for (const [title, { source, options }] of Object.entries(ways)) {
      finished.start(title, async () => fill(title, await source(golden), options));
    }
  });

  after(async () => {
    const { client, namespace } = suite;
    for (const { metadata } of await client.list(dataVolumes, { namespace })) {
      await client.delete(dataVolumes, suite.key(metadata.name ?? ''));
    }
    for (const { metadata } of await client.list(volumeSnapshots, { namespace })) {
      await client.delete(volumeSnapshots, suite.key(metadata?.name ?? ''));
    }
    await storage?.stop();
  });

  it('fills an import, and always says what it waits for', async () => {
    const { told, capacity, content } = await finished.outcome('an import');
    expectTold(told);
    expect(capacity).to.equal(GIBIBYTE);
    expect(content?.sha256).to.equal(suite.disk.sha256);
    expect(content?.file?.size).to.equal(diskOfVolume(200 * MEBIBYTE, 0.06));
  });

  for (const [title, { capacity: expected, cloneType: expectedType, options }] of Object.entries(ways)) {
    it(`fills ${title}, and always says what it waits for`, async () => {
      const { told, capacity, cloneType, content } = await finished.outcome(title);
      expectTold(told);
      expect(capacity).to.equal(expected);
      expect(cloneType).to.equal(expectedType);
      if (expectedType) expect(content?.sha256).to.equal(suite.disk.sha256);
      if (options.volumeMode !== 'Block') {
        expect(content?.file?.size).to.be.at.least(diskOfVolume(200 * MEBIBYTE, 0.06));
      }
    });
  }

  it('gives a clone of a snapshot that leaves its size open the size of its source', async () => {
    await finished.outcome('a restored snapshot');
    const key = keyOf('of open size');
    await suite.client.create(dataVolumes, {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'DataVolume',
      metadata: { ...key },
      spec: { source: { snapshot: keyOf('an import') }, storage: { storageClassName: 'awkward' } },
    });
    expectTold(await followTold(suite, key, 300_000));
    const claim = await suite.client.get(persistentVolumeClaims, key);
    expect(parseQuantity(claim?.spec?.resources?.requests?.['storage'] ?? '0')).to.equal(GIBIBYTE);
    expect((await readVolume(suite, key, suite.disk.virtualSize)).sha256).to.equal(suite.disk.sha256);
  });

  it('says of a claim that it mounts read-only that it is ReadOnlyMany', async () => {
    const key = keyOf('read-only');
    await suite.client.create(dataVolumes, ofMode(dataVolume(key, { blank: {} }, { storageClassName: 'awkward' })));
    const { object, longestSilence } = await followTold(suite, key, 300_000);
    expect(longestSilence).to.be.below(LONGEST_SILENCE);
    expect(object.status?.phase).to.equal('Failed');
    const running = conditionOf(object, 'Running');
    expect(running?.reason).to.equal('TargetNotWritable');
    expect(running?.message).to.match(/^The claim is ReadOnlyMany: .*Ask for ReadWriteOnce/);
  });

  it('clones into a claim that it mounts read-only, which needs no mount', async () => {
    await finished.outcome('an import');
    const key = keyOf('read-only clone');
    const source = { pvc: keyOf('an import') };
    await suite.client.create(dataVolumes, ofMode(dataVolume(key, source, { storageClassName: 'awkward' })));
    expectTold(await followTold(suite, key, 300_000));
    expect((await readVolume(suite, key, suite.disk.virtualSize)).sha256).to.equal(suite.disk.sha256);
  });

  it('says that the scheduler waits for a capacity that nobody publishes', async () => {
    const key = keyOf('without capacity');
    const annotations = { 'cdi.kubevirt.io/storage.bind.immediate.requested': 'true' };
    const options = { storageClassName: 'awkward-waiting', annotations };
    const message = 'did not have enough free storage';
    await suite.client.create(dataVolumes, dataVolume(key, { blank: {} }, options));
    // It may try again for seconds before it has the claim in its cache.
    await eventually(
      'the scheduler says so',
      async () =>
        (await suite.client.list(pods, { namespace: suite.namespace })).some(({ status }) =>
          status?.conditions?.some((condition) => condition.message?.includes(message)),
        ),
      60_000,
    );
    const said = performance.now();
    await until(suite.client, dataVolumes, key, 'it says what the scheduler says', (object) => {
      return conditionOf(object, 'Running')?.message?.includes(message);
    });
    expect(performance.now() - said).to.be.below(LONGEST_SILENCE);
  });

  function expectTold({ object, messages, longestSilence }: Told): void {
    expect(object.status?.phase, messages.join('\n')).to.equal('Succeeded');
    expect(longestSilence, messages.join('\n')).to.be.below(LONGEST_SILENCE);
  }

  async function fill(title: string, source: DataVolumeSpec['source'], options: ClaimOptions) {
    const key = keyOf(title);
    await suite.client.create(dataVolumes, dataVolume(key, source, options));
    const told = await followTold(suite, key, 480_000);
    const claim = await suite.client.get(persistentVolumeClaims, key);
    const cloneType = claim?.metadata?.annotations?.['cdi.kubevirt.io/cloneType'];
    return {
      told,
      capacity: parseQuantity(claim?.status?.capacity?.['storage'] ?? '0'),
      ...(cloneType ? { cloneType } : {}),
      ...(told.object.status?.phase === 'Succeeded'
        ? { content: await readVolume(suite, key, suite.disk.virtualSize) }
        : {}),
    };
  }

  async function snapshotOf(claim: ObjectKey): Promise<ObjectKey> {
    const { client } = suite;
    await client.create(volumeSnapshots, {
      metadata: { ...claim },
      spec: { source: { persistentVolumeClaimName: claim.name } },
    });
    await until(client, volumeSnapshots, claim, 'it is ready', (snapshot) => snapshot?.status?.readyToUse);
    return claim;
  }

  function keyOf(title: string): ObjectKey {
    return suite.key(title.replaceAll(' ', '-'));
  }

  function ofMode(object: DataVolume): DataVolume {
    return { ...object, spec: { ...object.spec, pvc: { ...object.spec.pvc, accessModes: ['ReadOnlyMany'] } as never } };
  }
});
