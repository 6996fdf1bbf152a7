import { expect } from 'chai';
import { parseTarget } from '../../../../src/cli/upload/target-name.ts';

describe('the target of an upload', () => {
  it('has a kind and a name', () => {
    expect(parseTarget('dv/vm-1', 'x')).to.deep.equal({ kind: 'DataVolume', name: 'vm-1' });
    expect(parseTarget('pvc/vm.1', 'x')).to.deep.equal({ kind: 'PersistentVolumeClaim', name: 'vm.1' });
    expect(parseTarget('vm-1', 'x')).to.deep.equal({ kind: 'DataVolume', name: 'vm-1' });
  });

  it('is named as the file is where none is given', () => {
    const nameOf = (file: string) => parseTarget(undefined, file).name;
    expect(nameOf('/images/Fedora-42.x86_64.qcow2.xz')).to.equal('fedora-42-x86-64');
    expect(nameOf('debian.tar.gz')).to.equal('debian');
    expect(nameOf('/dev/vg/root_lv')).to.equal('root-lv');
  });

  for (const given of ['vm/disk', 'dv/', 'dv/Not_A_Name', 'dv/a/b', 'constructor/x', `dv/${'a'.repeat(254)}`]) {
    it(`is not ${given.slice(0, 20)}`, () => {
      expect(() => parseTarget(given, 'x')).to.throw(/should be dv\/NAME or pvc\/NAME/);
    });
  }

  it('has to be named where the file does not say one', () => {
    expect(() => parseTarget(undefined, '-')).to.throw(/standard input has no name/);
    expect(() => parseTarget(undefined, '.img')).to.throw(/does not say how a DataVolume could be named/);
  });
});
