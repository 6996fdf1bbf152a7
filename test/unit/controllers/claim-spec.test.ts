import { expect } from 'chai';
import fc from 'fast-check';
import { parseQuantity } from '../../../src/api/quantity.ts';
import { claimSpecOf, type ClaimDefaults } from '../../../src/controllers/data-volume/claim-spec.ts';

const MEBIBYTE = 2 ** 20;

const defaults: ClaimDefaults = {
  storageClassName: 'fast',
  profile: undefined,
  filesystemOverhead: 0.06,
  sourceRequest: undefined,
};

const profile = (claimPropertySets: { accessModes: 'ReadWriteMany'[]; volumeMode: 'Block' }[]) =>
  ({
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'StorageProfile',
    metadata: { name: 'fast' },
    spec: {},
    status: { claimPropertySets },
  }) as const;

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
        const usable = Math.floor((size * (1 - overhead)) / MEBIBYTE) * MEBIBYTE;
        expect(usable).to.be.at.least(Math.ceil(bytes / MEBIBYTE) * MEBIBYTE - MEBIBYTE);
        expect(size % MEBIBYTE).to.equal(0);
        expect(size * (1 - overhead)).to.be.at.least(bytes - 1);
      }),
    );
  });

  it('requests for a Block volume just what was asked for', () => {
    const spec = claimSpecOf(storage('1000', 'Block'), defaults);
    expect(spec.resources?.requests?.['storage']).to.equal('1000');
  });

  it('takes access modes and volume mode from the profile', () => {
    const spec = claimSpecOf(
      { storage: { resources: { requests: { storage: '1Gi' } } } },
      { ...defaults, profile: profile([{ accessModes: ['ReadWriteMany'], volumeMode: 'Block' }]) },
    );
    expect(spec).to.deep.include({ accessModes: ['ReadWriteMany'], volumeMode: 'Block' });
    expect(spec.resources?.requests?.['storage']).to.equal('1Gi');
  });

  it('refuses a claim without access modes, and says where to put them', () => {
    expect(() => claimSpecOf({ storage: { resources: { requests: { storage: '1Gi' } } } }, defaults))
      .to.throw(/accessModes.*StorageProfile/)
      .with.property('reason', 'ErrClaimNotValid');
  });

  it('takes the size from the source of a clone, and refuses to guess otherwise', () => {
    const spec = claimSpecOf(storage(undefined), { ...defaults, sourceRequest: 2 ** 30 });
    expect(spec.resources?.requests?.['storage']).to.equal('1Gi');
    expect(() => claimSpecOf(storage(undefined), defaults)).to.throw(/how large/);
  });
});
