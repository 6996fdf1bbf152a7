import { expect } from 'chai';
import fc from 'fast-check';
import { labelsFromEnvironment } from '../../../../src/source/registry/kubevirt-labels.ts';
import { expectProcessorTimeBelow } from '../../../support/processor-time.ts';

/** As the API server checks them: k8s.io/apimachinery, validation.IsQualifiedName and IsValidLabelValue. */
const validPrefix = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const validName = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

describe('labels from an image’s environment', () => {
  it('are what KubeVirt means by it', () => {
    const labels = labelsFromEnvironment([
      'PATH=/bin',
      'INSTANCETYPE_KUBEVIRT_IO_DEFAULT_INSTANCETYPE=u1.small',
      'INSTANCETYPE_KUBEVIRT_IO_DEFAULT_PREFERENCE=rhel',
      'INSTANCETYPE_KUBEVIRT_IO_DEFAULT_PREFERENCE=fedora',
      'SOME_TEAM_KUBEVIRT_IO_NOTE=',
      'KUBEVIRT_IO_OS=linux',
    ]);
    expect(labels).to.deep.equal({
      'instancetype.kubevirt.io/default-instancetype': 'u1.small',
      'instancetype.kubevirt.io/default-preference': 'fedora',
      'some.team.kubevirt.io/note': '',
      'kubevirt.io/os': 'linux',
    });
  });

  it('are none where the API server would refuse them', () => {
    for (const line of [
      'INSTANCETYPE_KUBEVIRT_IO_',
      'INSTANCETYPE_KUBEVIRT_IO_=1',
      'INSTANCETYPE_KUBEVIRT_IO_A',
      'INSTANCETYPE_KUBEVIRT_IO_A_=1',
      'INSTANCETYPE_KUBEVIRT_IO__A=1',
      `INSTANCETYPE_KUBEVIRT_IO_${'A'.repeat(64)}=1`,
      `INSTANCETYPE_KUBEVIRT_IO_A=${'x'.repeat(64)}`,
      'INSTANCETYPE_KUBEVIRT_IO_A=not a label',
      'INSTANCETYPE_KUBEVIRT_IO_A=ends-',
      'INSTANCETYPE_KUBEVIRT_IO_A=two\nlines',
      '_INSTANCETYPE_KUBEVIRT_IO_A=1',
      'INSTANCETYPE__KUBEVIRT_IO_A=1',
      `${'A'.repeat(64)}_KUBEVIRT_IO_A=1`,
      `${'ABCDEFG_'.repeat(40)}KUBEVIRT_IO_A=1`,
      'INSTANCETYPEKUBEVIRT_IO_A=1',
      'INSTANCETYPE_KUBEVIRT_IOX=1',
      'A=INSTANCETYPE_KUBEVIRT_IO_A=1',
    ]) {
      expect(labelsFromEnvironment([line]), line).to.deep.equal({});
    }
  });

  it('never speak to a controller', () => {
    const lines = ['CDI', 'STORAGE_CDI', 'A_B_C_CDI', 'SNAPSHOT', 'EXPORT', 'VM'].map(
      (group) => `${group}_KUBEVIRT_IO_A=1`,
    );
    expect(labelsFromEnvironment(['CDI_KUBEVIRT_IO_DATAIMPORTCRON=x', ...lines])).to.deep.equal({});
  });

  it('are few enough for a termination message', () => {
    const many = Array.from({ length: 1000 }, (_, index) => `INSTANCETYPE_KUBEVIRT_IO_N${index}=${index}`);
    expect(Object.keys(labelsFromEnvironment(many))).to.have.length(16);
    const long = Array.from({ length: 16 }, (_, index) => {
      const prefix = Array.from({ length: 15 }, () => 'ABCDEFGHIJKLMN').join('_');
      return `${prefix}_KUBEVIRT_IO_N${index}=${'v'.repeat(63)}`;
    });
    const labels = labelsFromEnvironment(long);
    expect(Object.keys(labels)).to.have.length.within(1, 15);
    expect(JSON.stringify(labels).length).to.be.at.most(2049);
  });

  it('are valid whatever the environment is', () => {
    const word = fc.string({ unit: fc.constantFrom('A', '1', '_', '-', '.', 'a', '\n', '=', 'é'), maxLength: 70 });
    const line = fc.tuple(word, fc.constantFrom('KUBEVIRT_IO_', '_KUBEVIRT_IO_'), word, word);
    fc.assert(
      fc.property(fc.array(line.map(([a, mark, b, c]) => `${a}${mark}${b}=${c}`)), (environment) => {
        for (const [key, text] of Object.entries(labelsFromEnvironment(environment))) {
          const [prefix = '', name = ''] = key.split('/');
          expect(prefix).to.match(validPrefix).and.to.have.length.at.most(253);
          expect(name).to.match(validName).and.to.have.length.at.most(63);
          expect(text === '' || validName.test(text)).to.equal(true);
          expect(text).to.have.length.at.most(63);
        }
      }),
    );
  });

  it('take no time that grows with more than the environment', () => {
    const environment = ['A'.repeat(1_000_000), `${'A_'.repeat(500_000)}=`, 'KUBEVIRT_IO_'.repeat(100_000)];
    for (let index = 0; index < 100_000; index += 1) environment.push(`${'A_'.repeat(200)}KUBEVIRT_IO`);
    expectProcessorTimeBelow(1000, () => expect(labelsFromEnvironment(environment)).to.deep.equal({}));
  });
});
