import { expect } from 'chai';
import { parsePax } from '../../../../src/image/archive/pax.ts';
import { describeVmdk } from '../../../../src/image/formats/vmdk/describe.ts';
import { checkDescriptor } from '../../../../src/image/formats/vmdk/descriptor.ts';
import { parseHeader } from '../../../../src/image/formats/vmdk/header.ts';
import { isManifest, Manifest } from '../../../../src/image/unwrap/manifest.ts';
import { isOvf, parseOvf } from '../../../../src/image/unwrap/ovf.ts';
import { startTags } from '../../../../src/image/unwrap/start-tags.ts';
import { expectProcessorTimeBelow } from '../../../support/processor-time.ts';
import { sparseVmdk } from '../../../support/sparse-vmdk.ts';

/** As long as the longest descriptors and manifests that are read. */
const LENGTH = 256 * 1024;

/** Beginnings of what never ends as it should, over and over. */
const pieces = [
  '<!--',
  '<',
  '<a',
  '<a b',
  '<a b="',
  "<a b='",
  '<a ',
  '<a:',
  'a',
  ' ',
  '\n',
  '\r',
  '<![CDATA[',
  '<?',
  '</',
  '<!',
  '&',
  '&a',
  '&#',
  '&#x1',
  '=',
];

function repeated(piece: string, length = LENGTH): string {
  return piece.repeat(Math.ceil(length / piece.length)).slice(0, length);
}

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

describe('start tags', () => {
  const read = (text: string): [string, Record<string, string>][] =>
    Array.from(startTags(text), ({ name, attributes }) => [name, Object.fromEntries(attributes)]);

  it('are read with their attributes, without namespaces and without what is commented out', () => {
    expect(
      read(`<?xml version="1.0"?><!DOCTYPE a><o:A x:b = "1 &amp; &quot;2&quot; &other;" c='&#62;&#xDF;&#x110000;&#0;'/>
        text <!-- <B d="no"/> --> <![CDATA[<C/>]]></o:A><D\n\te="f"><E g></E>`),
    ).to.deep.equal([
      ['A', { b: '1 & "2" &other;', c: '>ß&#x110000;&#0;' }],
      ['D', { e: 'f' }],
      ['E', {}],
    ]);
  });

  for (const piece of pieces) {
    it(`take no time that grows with more than the text: ${JSON.stringify(piece)}`, () => {
      expectProcessorTimeBelow(1000, () => {
        for (const start of ['', '<File ', '<Disk a="', '<!--']) {
          const text = start + repeated(piece);
          expect(['UnsupportedImage', 'InvalidImage']).to.include(codeOf(() => parseOvf(text, 'here')));
          isOvf(Buffer.from(text));
        }
      });
    });
  }
});

describe('OVF descriptors', () => {
  it('are refused where they break off, or have very many elements', () => {
    expect(codeOf(() => parseOvf('<Envelope><File id="a" href="b"/><!-- ', 'here'))).to.equal('InvalidImage');
    const file = (count: number): string => '<File id="a" href="b"/>'.repeat(count) + '<Disk fileRef="a"/>';
    expect(parseOvf(file(999), 'here')).to.deep.equal({ href: 'b' });
    expect(codeOf(() => parseOvf(file(1000), 'here'))).to.equal('UnsupportedImage');
  });

  it('name some of very many disks', () => {
    const disks = Array.from({ length: 500 }, (_, index) => `<Disk fileRef="f${index}"/>`).join('');
    expect(() => parseOvf(disks, 'here')).to.throw(/holds 500 disks \(f0, .*f9, …\)/);
  });
});

describe('manifests of packages', () => {
  for (const piece of ['SHA1(', 'SHA1(a)', 'SHA1(a)=', ')', ') =', ' ', '\n', 'SHA1(a)= a\n', '=a', ')= aa ']) {
    it(`take no time that grows with more than the text: ${JSON.stringify(piece)}`, () => {
      expectProcessorTimeBelow(1000, () => {
        for (const text of [repeated(piece), `SHA256(${repeated(piece)}`, `SHA256(a)= ${repeated(piece)}!`]) {
          new Manifest('here').parse(text, 'a.mf');
          isManifest('a.mf', Buffer.from(text));
        }
      });
    });
  }
});

describe('extended headers of archives', () => {
  for (const piece of ['1 ', '5 a=\n', '22 GNU.sparse.map=0,1\n', '9', ' ', '=']) {
    it(`take no time that others would notice: ${JSON.stringify(piece)}`, () => {
      expectProcessorTimeBelow(2000, () => {
        expect([undefined, 'InvalidImage']).to.include(codeOf(() => parsePax(Buffer.alloc(8 * 1024 * 1024, piece))));
      });
    });
  }

  it('are refused where a record is none', () => {
    expect(codeOf(() => parsePax(Buffer.from('6 a=b\n4 c\n')))).to.equal('InvalidImage');
    expect(parsePax(Buffer.from('10 path=a\n'))).to.deep.equal({ path: 'a' });
  });
});

describe('VMDK descriptors', () => {
  const image = sparseVmdk(Buffer.alloc(64 * 1024, 'x'), { grainSize: 4096, entries: 16 });

  for (const piece of ['\n', '\r\n', ' ', '\t\n', 'RW ', 'RW 1', 'parentCID', 'parentCID =', 'createType = "', 'a']) {
    it(`take no time that grows with more than the text: ${JSON.stringify(piece)}`, () => {
      expectProcessorTimeBelow(1000, () => {
        const header = { ...parseHeader(image), descriptor: { offset: 512, length: 1024 * 1024 - 512 } };
        const head = Buffer.concat([image.subarray(0, 512), Buffer.from(repeated(piece, 1024 * 1024 - 512))]);
        expect([undefined, 'UnsupportedImage']).to.include(codeOf(() => checkDescriptor(head, header)));
        const described = Buffer.from(head);
        described.writeBigUInt64LE(1n, 28);
        described.writeBigUInt64LE(2047n, 36);
        expect(describeVmdk(described)).to.have.property('virtualSize', 64 * 1024);
      });
    });
  }
});
