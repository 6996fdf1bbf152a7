import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Progress } from '../../../src/base/progress.ts';
import { FileSource } from '../../../src/source/kinds/file-source.ts';
import { type InspectedImage, inspectImage } from '../../../src/transfer/inspect-image.ts';
import { sameDisk, writeRawDisk } from '../support/images.ts';
import { importInPod, type PodRun } from '../support/importer.ts';
import { startNginx } from '../support/nginx.ts';
import { run, type Server } from '../support/processes.ts';

const MEBIBYTE = 1024 * 1024;
const DESCRIPTOR = `<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
  <References><File ovf:href="My%20VM-disk1.vmdk" ovf:id="file1"/></References>
  <DiskSection><Info>Disks</Info><Disk ovf:capacity="64" ovf:diskId="vmdisk1" ovf:fileRef="file1"/></DiskSection>
</Envelope>
`;

describe('importer: packages as real programs make them', () => {
  let directory: string;
  let root: string;
  let raw: string;
  let server: Server;

  const sh = (script: string): Promise<unknown> => run('sh', ['-ec', script], { cwd: root });
  const importFrom = (name: string): Promise<PodRun> =>
    importInPod(directory, { source: { url: `http://127.0.0.1:${server.port}/${name}` } });
  const expectDisk = async (name: string, format: string): Promise<void> => {
    const { result, diskImage } = await importFrom(name);
    expect(result, `${name}: ${JSON.stringify(result)}`).to.include({ outcome: 'succeeded', format });
    expect(await sameDisk(diskImage, raw), name).to.equal(true);
  };

  const inspected = (name: string, progress = new Progress()): Promise<InspectedImage> =>
    inspectImage(new FileSource(join(root, name), progress));

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-packages-'));
    root = join(directory, 'www');
    await mkdir(root);
    raw = join(directory, 'raw.img');
    await writeRawDisk(raw);
    await run('qemu-img', ['convert', '-O', 'qcow2', raw, join(root, 'disk.qcow2')]);
    server = await startNginx({ directory, root });
  });

  after(async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  });

  for (const program of ['gzip', 'bzip2', 'xz', 'zstd', 'cat']) {
    it(`finds the disk among programs and texts that ${program} has been over, before and behind it`, async () => {
      await sh(`
        rm -rf tree && mkdir -p tree/a tree/c
        for file in tree/a/text tree/c/text; do seq 1 100000 | ${program} > $file; done
        for file in tree/a/program tree/c/program; do ${program} < /usr/bin/tar > $file; done
        head -c 131072 /dev/urandom > tree/c/state.vmcx
        ${program} < disk.qcow2 > tree/b
        tar --sort=name -C tree -cf tree.tar .
        rm tree/b && tar --sort=name -C tree -cf without.tar a`);
      await expectDisk('tree.tar', 'qcow2');
      const { result } = await importFrom('without.tar');
      expect(result).to.include({ outcome: 'failed', permanent: true, code: 'NotAnImage' });
    });
  }

  it('finds the disk behind a large file that only might be one, compressed, too large for the target, or not', async () => {
    await sh(`
      mkdir -p memory && head -c 20M /dev/urandom > memory/a.vmem && cp disk.qcow2 memory/b.qcow2
      tar --sort=name -C memory -cf memory.tar . && gzip -1 -k memory.tar
      gzip -1 memory/a.vmem && tar --sort=name -C memory -cf compressed-memory.tar .
      rm memory/a.vmem.gz && truncate -s 200M memory/a.vmem
      tar --sort=name -C memory -czf large-memory.tar.gz . && rm -r memory`);
    for (const name of ['memory.tar', 'memory.tar.gz', 'compressed-memory.tar', 'large-memory.tar.gz']) {
      await expectDisk(name, 'qcow2');
      expect(await inspected(name), name).to.include({
        format: 'qcow2',
        isDoubtful: false,
        virtualSize: 64 * MEBIBYTE,
      });
    }
  });

  it('tells of the disk in an archive without reading what lies before it', async () => {
    await sh(`
      mkdir -p before && truncate -s 100M before/a.vmem && cp disk.qcow2 before/b.qcow2
      tar --sort=name -C before -cf before.tar . && rm -r before`);
    const progress = new Progress();
    expect(await inspected('before.tar', progress)).to.include({ format: 'qcow2', isDoubtful: false });
    expect(progress.counters.bytesRead).to.be.below(20 * MEBIBYTE);
  });

  it('says that a file is doubtful where it only might be a disk, and none is certain', async () => {
    await sh(`
      mkdir -p doubt && head -c 20M /dev/urandom > doubt/a.vmem && head -c 20M /dev/urandom > doubt/b.vmem
      tar --sort=name -C doubt -cf doubt.tar . && rm -r doubt`);
    expect(await inspected('doubt.tar')).to.include({ format: 'raw', isDoubtful: true, virtualSize: 20 * MEBIBYTE });
    const { result } = await importFrom('doubt.tar');
    expect(result).to.include({ outcome: 'failed', permanent: true, code: 'UnsupportedImage' });
  });

  it('says of such a file what is wrong with it where no disk lies behind it', async () => {
    await sh(`truncate -s 200M only.vmem && seq 1 100 > text && tar -czf only.tar.gz only.vmem text && rm only.vmem`);
    const { result } = await importFrom('only.tar.gz');
    expect(result).to.include({ outcome: 'failed', permanent: true, code: 'ImageTooLarge' });
  });

  it('takes no file of an operating system for a disk', async () => {
    await sh(`
      mkdir -p system/usr/share system/usr/bin && cp -r /etc/apt system/etc 2>/dev/null || cp -r /etc/default system/etc
      head -c 262144 /dev/urandom > system/usr/share/data && gzip -kf system/usr/share/data && cp /usr/bin/tar system/usr/bin
      rm system/usr/share/data && tar -C system -czf system.tar.gz .`);
    const { result, volume } = await importFrom('system.tar.gz');
    expect(result).to.include({ outcome: 'failed', permanent: true, code: 'NotAnImage' });
    expect(result).to.have.property('message').that.includes('root file system');
    expect((await run('ls', ['-A', volume])).stdout).to.equal('');
  });

  it('reads an OVA that is signed, in a folder, in whatever order, and notices damage', async () => {
    const folder = join(root, 'exported', 'vm');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'vm.ovf'), DESCRIPTOR);
    await run('qemu-img', [
      ...['convert', '-O', 'vmdk', '-o', 'subformat=streamOptimized', raw],
      join(folder, 'My VM-disk1.vmdk'),
    ]);
    await sh(`
      openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=signer -keyout key.pem -out certificate.pem 2>/dev/null
      cd exported/vm
      openssl dgst -sha256 vm.ovf 'My VM-disk1.vmdk' | sed 's/^SHA2-256/SHA256/' > vm.mf
      openssl dgst -sha256 -sign ../../key.pem vm.mf | od -An -v -tx1 | tr -d ' \\n' > signature
      { printf 'SHA256(vm.mf)= '; cat signature; echo; cat ../../certificate.pem; } > vm.cert && rm signature
      tar -cf ../../standard.ova vm.ovf vm.mf vm.cert 'My VM-disk1.vmdk'
      tar -cf ../../late.ova vm.ovf 'My VM-disk1.vmdk' vm.mf vm.cert
      tar --sort=name -C .. -cf ../../folder.tar vm
      tar --sort=name -C .. -czf ../../dot.tar.gz .
      printf x | dd of='My VM-disk1.vmdk' bs=1 seek=70000 conv=notrunc status=none
      tar --sort=name -C .. -cf ../../bad-folder.tar vm
      tar -cf ../../bad.ova vm.ovf vm.mf vm.cert 'My VM-disk1.vmdk'`);
    for (const name of ['standard.ova', 'late.ova', 'folder.tar', 'dot.tar.gz']) await expectDisk(name, 'vmdk');
    for (const name of ['bad.ova', 'bad-folder.tar']) {
      const { result } = await importFrom(name);
      expect(result, name).to.include({ outcome: 'failed', permanent: true });
      expect(['ChecksumMismatch', 'InvalidImage'], JSON.stringify(result)).to.include(
        (result as { code?: string }).code,
      );
    }
  });
});
