import { expect } from 'chai';
import { parseChecksum, verified } from '../../../../src/base/checksum.ts';
import { recogniseCompression } from '../../../../src/codec/decompress/compression.ts';
import { HEAD_LENGTH, recogniseFormat } from '../../../../src/image/formats/recognise.ts';
import { collect, lend } from '../../base/streams.ts';

describe('recognising an image by its start', () => {
  const sector = (start: string, at = 0): Buffer => {
    const bytes = Buffer.alloc(512);
    bytes.write(start, at, 'latin1');
    return bytes;
  };

  it('knows disk formats', () => {
    const starts = { qcow2: 'QFI\xfb', vmdk: 'KDMV', vhdx: 'vhdxfile', vhd: 'conectix', qed: 'QED\0' };
    for (const [format, start] of Object.entries(starts)) {
      expect(recogniseFormat(sector(start), 512, 'x')).to.equal(format);
    }
    expect(recogniseFormat(sector('\x7f\x10\xda\xbe', 0x40), 512, 'x')).to.equal('vdi');
    expect(recogniseFormat(sector('anything'), 512, 'x')).to.equal('raw');
  });

  it('knows what is certainly none', () => {
    const others = [
      '<!DOCTYPE html>',
      '\n <HTML>',
      '<?xml version="1.0"?>',
      'PK\x03\x04',
      '%PDF-1.7',
      'not a disk\n',
      '',
    ];
    for (const other of others) {
      const bytes = Buffer.from(other, 'latin1');
      expect(() => recogniseFormat(bytes, bytes.length, 'x'), other)
        .to.throw()
        .with.property('code', 'NotAnImage');
    }
  });

  it('does not take for raw what a guest could not read', () => {
    for (const start of ['\x04\x22\x4d\x18', 'LZIP', '\x89LZO', '\x3a\xff\x26\xed', 'WithoutFreeSpace']) {
      expect(() => recogniseFormat(sector(start), 512, 'x'), start)
        .to.throw(/^x is .*, which cannot be read here: unpack or convert it first$/)
        .with.property('code', 'UnsupportedImage');
    }
  });

  it('takes nothing for a disk that is text, of whatever length', () => {
    const text = Buffer.alloc(HEAD_LENGTH, 'text\n');
    for (const size of [1024 * 1024, 1_000_001, undefined]) {
      expect(() => recogniseFormat(text, size, 'x'))
        .to.throw(/text/)
        .with.property('code', 'NotAnImage');
    }
    // A disk that holds text is padded to its sectors.
    expect(recogniseFormat(Buffer.concat([Buffer.from('text\n')], HEAD_LENGTH), 1024 * 1024, 'x')).to.equal('raw');
  });

  it('takes for raw what it does not know where that is whole sectors, or begins as a disk does', () => {
    const unknown = Buffer.alloc(HEAD_LENGTH, '\x01\x02\x03');
    const booting = Buffer.from(unknown);
    booting.writeUInt16LE(0xaa55, 510);
    const file = Buffer.from(unknown);
    file.writeUInt16LE(0xef53, 1080);
    expect(recogniseFormat(unknown, 1024 * 1024, 'x')).to.equal('raw');
    expect(recogniseFormat(unknown, undefined, 'x')).to.equal('raw');
    for (const head of [booting, file, Buffer.alloc(HEAD_LENGTH)]) {
      expect(recogniseFormat(head, 1_000_001, 'x')).to.equal('raw');
    }
    expect(() => recogniseFormat(unknown, 1_000_001, 'x'))
      .to.throw(/1000001 bytes are not whole sectors .* state the format raw/)
      .with.property('code', 'NotAnImage');
  });

  it('believes a partition table or a file system more than what comes before it', () => {
    const places: [number, string][] = [
      [512, 'EFI PART'],
      [32769, 'CD001'],
      [1536, 'LABELONE'],
    ];
    for (const [at, sign] of places) {
      const disk = Buffer.alloc(HEAD_LENGTH);
      disk.write('\x04\x22\x4d\x18', 'latin1');
      disk.write(sign, at, 'latin1');
      expect(recogniseFormat(disk, 1024 * 1024, 'x'), sign).to.equal('raw');
    }
  });

  it('knows compressions', () => {
    const starts: Record<string, string> = {
      gzip: '1f8b0800',
      zstd: '28b52ffd00',
      xz: 'fd377a585a0000',
      bzip2: '425a6839314159265359',
    };
    expect(recogniseCompression(Buffer.from('425a6839177245385090', 'hex'))).to.equal('bzip2');
    for (const [compression, hex] of Object.entries(starts)) {
      expect(recogniseCompression(Buffer.from(hex, 'hex'))).to.equal(compression);
    }
    expect(recogniseCompression(Buffer.from('BZh9 is text'))).to.equal(undefined);
    expect(recogniseCompression(Buffer.alloc(0))).to.equal(undefined);
  });

  it('knows a compression by what follows its skippable frames', () => {
    const skippable = (number: number, length: number): string => {
      const header = Buffer.alloc(8);
      header.writeUInt32LE(0x184d2a50 + number);
      header.writeUInt32LE(length, 4);
      return header.toString('hex') + 'ab'.repeat(length);
    };
    const prefixes = [skippable(0, 4), skippable(15, 0), skippable(3, 20) + skippable(7, 1000)];
    for (const prefix of prefixes) {
      expect(recogniseCompression(Buffer.from(`${prefix}28b52ffd00`, 'hex'))).to.equal('zstd');
      const lz4 = Buffer.from(`${prefix}04224d1800`, 'hex');
      expect(recogniseCompression(lz4)).to.equal(undefined);
      expect(() => recogniseFormat(Buffer.concat([lz4], HEAD_LENGTH), 1024 * 1024, 'x')).to.throw(
        /compressed with lz4/,
      );
      expect(recogniseCompression(Buffer.from(`${prefix}00000000`, 'hex'))).to.equal(undefined);
    }
    expect(recogniseCompression(Buffer.from(skippable(2, 0x100000).slice(0, 1000), 'hex'))).to.equal('zstd');
  });
});

describe('checksums', () => {
  const abc = 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

  it('are an algorithm and a digest', () => {
    expect(parseChecksum(abc.toUpperCase())).to.include({ algorithm: 'sha256' });
    for (const wrong of [
      '',
      'sha256',
      'sha256:12',
      'crc32:00000000',
      `${abc}0`,
      `md5:${'g'.repeat(32)}`,
      'toString:x',
    ]) {
      expect(() => parseChecksum(wrong), wrong)
        .to.throw()
        .with.property('code', 'InvalidRequest');
    }
  });

  it('are of all that was read', async () => {
    const content = Buffer.from('abc');
    expect(await collect(verified(lend(content, [1, 1]), parseChecksum(abc), 'x'))).to.deep.equal(content);
    const error = await collect(verified(lend(Buffer.from('abd'), [2]), parseChecksum(abc), 'x')).catch(
      (reason: unknown) => reason,
    );
    expect(error).to.include({ code: 'ChecksumMismatch', permanent: true });
  });
});
