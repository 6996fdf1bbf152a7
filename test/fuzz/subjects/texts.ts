import { printableJson, printableLine } from '../../../src/base/printable.ts';
import { parsePax } from '../../../src/image/archive/pax.ts';
import { describeVmdk } from '../../../src/image/formats/vmdk/describe.ts';
import { checkDescriptor } from '../../../src/image/formats/vmdk/descriptor.ts';
import { parseHeader } from '../../../src/image/formats/vmdk/header.ts';
import { isManifest, Manifest } from '../../../src/image/unwrap/manifest.ts';
import { isOvf, parseOvf } from '../../../src/image/unwrap/ovf.ts';
import { labelsFromEnvironment } from '../../../src/source/registry/kubevirt-labels.ts';
import { parseConfiguration, parseManifest, selectPlatform } from '../../../src/source/registry/manifest.ts';
import { sparseVmdk } from '../../support/sparse-vmdk.ts';
import { survive, Violation } from './subject.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const environment = [
  'PATH=/usr/bin:/bin',
  'INSTANCETYPE_KUBEVIRT_IO_DEFAULT_INSTANCETYPE=u1.small',
  'INSTANCETYPE_KUBEVIRT_IO_DEFAULT_PREFERENCE=fedora',
];

/** Documents of packages and images, as programs write them. */
export const textSeeds: readonly Buffer[] = [
  `<?xml version="1.0"?>\n<!-- made --><Envelope xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
    <References><File ovf:href="a&amp;b.vmdk" ovf:id='f1' ovf:size="1"/></References>
    <DiskSection><Info>Disks</Info><Disk ovf:capacity="1" ovf:diskId="d1" ovf:fileRef="f1"/></DiskSection></Envelope>`,
  '<Envelope><File id="f" href="a"/><Disk fileRef="f"/></Envelope>',
  "<!--a--><Disk a:fileRef='f' b />",
  `SHA256(a.ovf)= ${'0a'.repeat(32)}\nSHA256(a.vmdk)= ${'1b'.repeat(32)}\nSHA1(b)= ${'2c'.repeat(20)}\n`,
  '# Disk DescriptorFile\nversion=1\nCID=123a\nparentCID=ffffffff\ncreateType="streamOptimized"\n\nRW 8 SPARSE "a.vmdk"\n',
  '30 path=some/where/in/an/archive\n20 GNU.sparse.map=0,1\n22 GNU.sparse.size=1000\n',
  environment.join('\n'),
  JSON.stringify({ config: { digest, size: 1 }, layers: [{ digest, size: 2 }] }),
  JSON.stringify({ manifests: [{ digest, size: 1, platform: { architecture: 'amd64', os: 'linux' } }] }),
  JSON.stringify({ config: { Env: environment } }),
].map((text) => Buffer.from(text));

const image = sparseVmdk(Buffer.alloc(8192, 'x'), { grainSize: 4096, entries: 16 });
const key = /^([a-z0-9]+\.)+kubevirt\.io\/[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** Lets every parser of text loose on it: none knows what it is going to get. */
export async function attemptText(bytes: Buffer): Promise<void> {
  const text = bytes.toString();
  isOvf(bytes);
  await survive(() => parseOvf(text, 'x'));
  isManifest('a.mf', bytes);
  await survive(() => {
    const manifest = new Manifest('x');
    manifest.begin('a.ovf').end();
    manifest.parse(text, 'a.mf');
  });
  await survive(() => parsePax(bytes));
  await survive(() => attemptDescriptor(bytes));
  await survive(() => {
    const parsed = parseManifest(text, 'x');
    if ('index' in parsed) selectPlatform(parsed.index, 'amd64', 'x');
  });
  checkLabels(labelsFromEnvironment(text.split('\n')));
  checkLabels((await survive(() => labelsFromEnvironment(parseConfiguration(text, 'x').environment))) ?? {});
  // eslint-disable-next-line no-control-regex
  if (/[\x00-\x1f\x7f-\x9f]/.test(printableLine(text) + printableJson(text))) throw new Violation('not printable');
}

function attemptDescriptor(bytes: Buffer): void {
  const head = Buffer.concat([image.subarray(0, 512), bytes, Buffer.alloc(512 - (bytes.length % 512))]);
  const length = head.length - 512;
  head.writeBigUInt64LE(1n, 28);
  head.writeBigUInt64LE(BigInt(length / 512), 36);
  describeVmdk(head);
  checkDescriptor(head, parseHeader(head));
}

function checkLabels(labels: Record<string, string>): void {
  const size = JSON.stringify(labels).length;
  const wrong = Object.entries(labels).find(([name, value]) => !key.test(name) || value.length > 63);
  if (wrong !== undefined) throw new Violation(`${wrong.join('=')} is not a label`);
  if (size > 2049) throw new Violation(`${size} bytes of labels`);
}
