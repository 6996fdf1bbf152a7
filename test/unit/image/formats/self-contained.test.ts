import { expect } from 'chai';
import { type DiskFormat, driverOf } from '../../../../src/image/formats/drivers.ts';

describe('images that refer to other files', () => {
  const vmdk = ({
    capacity = 2048n,
    descriptorAt = 512,
    descriptor = 'CID=12345678\nparentCID=ffffffff\n',
  } = {}): Buffer => {
    const head = Buffer.alloc(64 * 1024);
    head.write('KDMV');
    head.writeUInt32LE(1, 4);
    head.writeBigUInt64LE(capacity, 12);
    head.writeBigUInt64LE(128n, 20);
    head.writeBigUInt64LE(1n, 28);
    head.writeBigUInt64LE(20n, 36);
    head.writeUInt32LE(512, 44);
    head.write(descriptor, descriptorAt);
    return head;
  };
  const checkSelfContained = (format: DiskFormat, head: Buffer): void => {
    driverOf(format).selfContained?.check(head);
  };
  const refused = (check: () => void): void => {
    expect(check).to.throw().with.property('code', 'UnsupportedImage');
  };

  it('are refused before a converter sees them', () => {
    checkSelfContained('vmdk', vmdk());
    refused(() => checkSelfContained('vmdk', vmdk({ capacity: 0n })));
    refused(() => checkSelfContained('vmdk', vmdk({ descriptor: '' })));
    refused(() => checkSelfContained('vmdk', vmdk({ descriptor: 'parentCID=12345678\n' })));
    refused(() => checkSelfContained('vmdk', vmdk({ descriptor: 'parentFileNameHint="/etc/shadow"\n' })));
    const vhd = Buffer.alloc(1024);
    checkSelfContained('vhd', vhd);
    vhd.writeUInt32BE(4, 60);
    refused(() => checkSelfContained('vhd', vhd));
    const qed = Buffer.alloc(1024);
    checkSelfContained('qed', qed);
    qed.writeUInt32LE(1, 16);
    refused(() => checkSelfContained('qed', qed));
  });

  it('cannot hide that by naming another place', () => {
    const head = vmdk({ descriptorAt: 700, descriptor: 'parentFileNameHint="/etc/shadow"\n' });
    head.writeBigUInt64LE(40n, 28);
    refused(() => checkSelfContained('vmdk', head));
    head.writeBigUInt64LE(1_000_000n, 28);
    refused(() => checkSelfContained('vmdk', head));
  });
});
