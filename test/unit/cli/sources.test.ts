import { expect } from 'chai';
import { TransferError } from '../../../src/base/errors.ts';
import { Progress } from '../../../src/base/progress.ts';
import { createSource, localPath } from '../../../src/cli/source.ts';
import { shownSources } from '../../../src/cli/sources/sources.ts';
import { rejection } from '../../support/rejection.ts';

const locationOf = async (given: string): Promise<string> => {
  const source = await createSource(given, {}, new Progress());
  await source.close('incomplete');
  return source.location;
};

describe('a source on the command line', () => {
  for (const [given, location] of [
    ['https://server.example/disk.img', /^https:\/\/server\.example\/disk\.img$/],
    ['s3://bucket/disk.img', /^https?:\/\/.*bucket.*\/disk\.img$/],
    ['gs://bucket/disk.img', /^https?:\/\/.*\/bucket\/disk\.img$/],
    ['docker://registry.example/org/disk:1', /^docker:\/\/registry\.example\/org\/disk:1$/],
    ['oci-archive:image.tar', /^image\.tar$/],
    ['file:///images/disk%20one.img', /^\/images\/disk one\.img$/],
    ['images/disk.img', /^images\/disk\.img$/],
  ] as const)
    it(`is known by what it begins with: ${given}`, async () => {
      expect(await locationOf(given)).to.match(location);
    });

  it('is refused by the name of a scheme that nobody has', async () => {
    expect(await rejection(createSource('ftp://server/disk.img', {}, new Progress())))
      .to.be.an.instanceOf(TransferError)
      .and.to.have.property('message')
      .that.includes('ftp:');
  });

  it('is a disk of oVirt by its identifier alone, and for a user with a password', async () => {
    for (const [given, message] of [
      ['imageio://engine/ovirt-engine/api', /given as imageio:\/\/ENGINE\/ovirt-engine\/api\?disk=ID/],
      ['imageio://engine/ovirt-engine/api?disk=1', /needs a user and a password/],
    ] as const) {
      expect(await rejection(createSource(given, {}, new Progress())))
        .to.have.property('message')
        .that.matches(message);
    }
  });

  it('is a disk of VMware by the UUID of its machine, where the library is', async () => {
    for (const [given, message] of [
      ['vddk://vcenter', /given as vddk:\/\/VCENTER\?vm=UUID&disk=/],
      [
        'vddk://vcenter?vm=1&disk=[store] machine/disk.vmdk',
        /no VDDK library in \/opt\/vmware-vix-disklib-distrib\/lib64/,
      ],
    ] as const) {
      expect(await rejection(createSource(given, {}, new Progress())))
        .to.have.property('message')
        .that.matches(message);
    }
  });

  it('is a file of this machine, or none', () => {
    expect(localPath('disk.img')).to.equal('disk.img');
    expect(localPath('-')).to.equal('/dev/stdin');
    expect(localPath('oci-archive:file:///image.tar')).to.equal('/image.tar');
    for (const elsewhere of ['https://server/disk', 'oci-archive:https://server/image.tar', 'docker://registry/disk'])
      expect(localPath(elsewhere)).to.equal(undefined);
  });

  it('is in the help, where the command can read it', () => {
    expect(shownSources(true)).to.equal(
      'https://…, docker://…, s3://…, gs://…, imageio://…, vddk://…, oci-archive:…, a file, or - for standard input',
    );
    expect(shownSources(false)).to.equal(
      'https://…, docker://…, s3://…, gs://…, imageio://…, vddk://…, oci-archive:…, or a file',
    );
  });
});
