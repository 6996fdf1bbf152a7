import { expect } from 'chai';
import { volumeCloneSources } from '../../../../../src/api/volume-clone-source.ts';
import { populationSource } from '../../../../../src/controllers/claims/population/population-source.ts';
import { rejection } from '../../../../support/rejection.ts';

const key = { namespace: 'team', name: 'golden' };
const source = { metadata: { ...key }, spec: { source: { kind: 'PersistentVolumeClaim', name: 'golden' } } };

describe('the object that a claim is populated from', () => {
  const asked = (cached: object | undefined, stored: object | undefined) =>
    populationSource({ get: async () => stored } as never, {
      resource: volumeCloneSources,
      cache: { get: () => cached } as never,
      key,
      work: 'clone',
    });

  it('is found before the cache has it', async () => {
    expect(await asked(undefined, source)).to.equal(source);
    expect(await asked(source, undefined)).to.equal(source);
  });

  it('is asked for where there is none', async () => {
    expect(await rejection(asked(undefined, undefined))).to.include({
      reason: 'NotFound',
      message: 'VolumeCloneSource "golden" does not exist in namespace "team"; create it, and the clone starts',
    });
  });
});
