import { expect } from 'chai';
import fc from 'fast-check';
import { parseQuantity } from '../../../src/api/quantity.ts';
import type { ClaimPropertySet, StorageProfile } from '../../../src/api/storage-profile.ts';
import { diskOfVolume } from '../../../src/base/filesystem-sizes.ts';
import { WaitingError } from '../../../src/kube/errors.ts';
import { type ClaimDefaults, claimSpecOf, type SourceVolume } from '../../../src/rendering/claim-spec.ts';

const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;

const defaults: ClaimDefaults = {
  storageClassName: 'fast',
  profile: undefined,
  filesystemOverhead: 0.06,
  source: undefined,
};

const profile = (claimPropertySets: ClaimPropertySet[], annotations = {}): StorageProfile => ({
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind: 'StorageProfile',
  metadata: { name: 'fast', annotations },
  spec: {},
  status: { claimPropertySets },
});

/** Of storage that can be both, and prefers what virtual machines can migrate with. */
const both: ClaimPropertySet[] = [
  { accessModes: ['ReadWriteMany'], volumeMode: 'Block' },
  { accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem' },
];
const source = (volumeMode: 'Block' | 'Filesystem', capacity: number): SourceVolume => ({
  volumeMode,
  capacity,
  filesystemOverhead: 0.1,
});
const sizeOf = (spec: ReturnType<typeof claimSpecOf>) => parseQuantity(spec.resources?.requests?.['storage'] ?? '0');

const storage = (size: string | number | undefined, volumeMode?: 'Block' | 'Filesystem') => ({
  storage: {
    accessModes: ['ReadWriteOnce' as const],
    ...(volumeMode ? { volumeMode } : {}),
    ...(size === undefined ? {} : { resources: { requests: { storage: size } } }),
  },
});

describe('the spec of a DataVolume claim', () => {
  it('is spec.pvc as it is written, with the class resolved', () => {
    const pvc = { accessModes: ['ReadWriteOnce' as const], resources: { requests: { storage: '10240Mi' } } };
    expect(claimSpecOf({ pvc }, defaults)).to.deep.equal({ ...pvc, storageClassName: 'fast' });
  });

  it('leaves room on a Filesystem volume, so that a disk of the requested size fits', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 44 }), fc.integer({ min: 0, max: 500 }), (bytes, thousandths) => {
        const overhead = thousandths / 1000;
        const spec = claimSpecOf(storage(bytes), { ...defaults, filesystemOverhead: overhead });
        const size = parseQuantity(spec.resources?.requests?.['storage'] ?? '0');
        const usable = diskOfVolume(size, overhead);
        expect(usable).to.be.at.least(bytes);
        expect(usable).to.be.at.most(bytes + 2 * MEBIBYTE);
        expect(size % MEBIBYTE).to.equal(0);
        expect(size).to.be.at.least(bytes * (1 + overhead));
      }),
    );
  });

  it('requests for a Block volume just what was asked for', () => {
    const spec = claimSpecOf(storage('1000', 'Block'), defaults);
    expect(spec.resources?.requests?.['storage']).to.equal('1000');
  });

  it('keeps what else is asked of the volume', () => {
    const { storage: asked } = storage('1Gi', 'Block');
    const spec = claimSpecOf({ storage: { ...asked, volumeAttributesClassName: 'gold' } }, defaults);
    expect(spec).to.include({ volumeAttributesClassName: 'gold', storageClassName: 'fast' });
  });

  it('takes access modes and volume mode from the profile', () => {
    const spec = claimSpecOf(
      { storage: { resources: { requests: { storage: '1Gi' } } } },
      { ...defaults, profile: profile([{ accessModes: ['ReadWriteMany'], volumeMode: 'Block' }]) },
    );
    expect(spec).to.deep.include({ accessModes: ['ReadWriteMany'], volumeMode: 'Block' });
    expect(spec.resources?.requests?.['storage']).to.equal('1Gi');
  });

  it('takes the property set that has what is asked for', () => {
    const asked = (storage: object) =>
      claimSpecOf(
        { storage: { ...storage, resources: { requests: { storage: '1Gi' } } } },
        { ...defaults, profile: profile(both) },
      );
    expect(asked({ volumeMode: 'Filesystem' }).accessModes).to.deep.equal(['ReadWriteOnce']);
    expect(asked({ accessModes: ['ReadWriteOnce'] }).volumeMode).to.equal('Filesystem');
    expect(asked({ volumeMode: 'FromStorageProfile' })).to.deep.include({ volumeMode: 'Block' });
    expect(asked({ accessModes: ['ReadWriteOnce'], volumeMode: 'Block' })).to.deep.include({
      accessModes: ['ReadWriteOnce'],
      volumeMode: 'Block',
    });
  });

  it('puts a tree of files on a filesystem', () => {
    const spec = claimSpecOf(
      { storage: { resources: { requests: { storage: '1Gi' } } }, contentType: 'archive' },
      { ...defaults, profile: profile(both) },
    );
    expect(spec).to.deep.include({ accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem' });
    expect(sizeOf(spec)).to.equal(GIBIBYTE);
  });

  it('makes no volume smaller than its storage has', () => {
    const annotations = { 'cdi.kubevirt.io/minimumSupportedPvcSize': '4Gi' };
    const spec = claimSpecOf(storage('1Gi', 'Block'), { ...defaults, profile: profile(both, annotations) });
    expect(sizeOf(spec)).to.equal(4 * GIBIBYTE);
    expect(sizeOf(claimSpecOf(storage('5Gi', 'Block'), { ...defaults, profile: profile(both, annotations) }))).to.equal(
      5 * GIBIBYTE,
    );
  });

  it('waits while the smallest size is none', () => {
    const annotations = { 'cdi.kubevirt.io/minimumSupportedPvcSize': 'four' };
    expect(() => claimSpecOf(storage('1Gi'), { ...defaults, profile: profile(both, annotations) })).to.throw(
      WaitingError,
      /minimumSupportedPvcSize of StorageProfile "fast" is "four"/,
    );
  });

  it('waits where it has no access modes, and says where to put them', () => {
    expect(() => claimSpecOf({ storage: { resources: { requests: { storage: '1Gi' } } } }, defaults))
      .to.throw(WaitingError, /accessModes.*claimPropertySets.*StorageProfile "fast"/)
      .with.property('reason', 'ErrClaimNotValid');
    const onlyBlock = profile([{ accessModes: ['ReadWriteMany'], volumeMode: 'Block' }]);
    const asked = { storage: { volumeMode: 'Filesystem' as const, resources: { requests: { storage: '1Gi' } } } };
    expect(() => claimSpecOf(asked, { ...defaults, profile: onlyBlock })).to.throw(/has none for Filesystem volumes/);
  });

  describe('of a clone', () => {
    const sizes: readonly [string, SourceVolume, 'Block' | 'Filesystem', number][] = [
      ['as large as its source', source('Filesystem', GIBIBYTE), 'Filesystem', GIBIBYTE],
      ['as large as its source', source('Block', GIBIBYTE + 1), 'Block', GIBIBYTE + 1],
      ['larger by the overhead', source('Block', 94 * MEBIBYTE), 'Filesystem', 100 * MEBIBYTE],
      ["smaller by the source's overhead", source('Filesystem', 100 * MEBIBYTE), 'Block', 91 * MEBIBYTE],
    ];
    for (const [how, from, to, expected] of sizes) {
      it(`is ${how} where a ${from.volumeMode} volume becomes a ${to} one`, () => {
        expect(sizeOf(claimSpecOf(storage(undefined, to), { ...defaults, source: from }))).to.equal(expected);
      });
    }

    it("has its source's volume mode where that is left open and the storage has it", () => {
      const open = { storage: { resources: { requests: { storage: '1Gi' } } } };
      const from = source('Filesystem', GIBIBYTE);
      expect(claimSpecOf(open, { ...defaults, profile: profile(both), source: from }).volumeMode).to.equal(
        'Filesystem',
      );
      const fromProfile = { storage: { ...open.storage, volumeMode: 'FromStorageProfile' as const } };
      expect(claimSpecOf(fromProfile, { ...defaults, profile: profile(both), source: from }).volumeMode).to.equal(
        'Block',
      );
      expect(
        claimSpecOf(open, { ...defaults, profile: profile(both.slice(0, 1)), source: from }).volumeMode,
        'only Block',
      ).to.equal('Block');
    });

    it('is refused where nothing tells its size', () => {
      expect(() => claimSpecOf(storage(undefined), defaults)).to.throw(/how large/);
    });
  });
});
