import { expect } from 'chai';
import { array, assert, constant, constantFrom, integer, property, record } from 'fast-check';
import { aboutBuilding, buildSeconds, type ToBuild } from '../../cluster/build-estimate.ts';

const kubernetes: ToBuild = { name: 'kubernetes', programs: 5 };
const coredns: ToBuild = { name: 'coredns', programs: 1 };

describe('what is said of a build before it begins', () => {
  it('depends on the cores of the machine', () => {
    expect(aboutBuilding([kubernetes], 1)).to.match(/^about \d+ minutes on one core, more where it has other work/);
    expect(aboutBuilding([kubernetes], 2)).to.match(/^about \d+ minutes on 2 cores, more where they have other work/);
  });

  it('is short where little is to be built', () => {
    expect(aboutBuilding([coredns], 64)).to.match(/^less than a minute on 64 cores/);
  });

  const part = record({
    name: constantFrom<ToBuild['name']>('kubernetes', 'csi', 'kubectl', 'coredns'),
    programs: integer({ min: 1, max: 6 }),
  });

  it('never grows with the cores, and falls no faster than they grow', () => {
    assert(
      property(array(part, { minLength: 1 }), integer({ min: 1, max: 256 }), (parts, cores) => {
        const [fewer, more] = [buildSeconds(parts, cores), buildSeconds(parts, cores * 2)];
        expect(more).to.be.at.most(fewer);
        expect(more).to.be.at.least(fewer / 2);
      }),
    );
  });

  it('grows with each part that is not cached', () => {
    assert(
      property(array(part), part, constant(2), (parts, another, cores) => {
        expect(buildSeconds([...parts, another], cores)).to.be.greaterThan(buildSeconds(parts, cores));
      }),
    );
  });
});
