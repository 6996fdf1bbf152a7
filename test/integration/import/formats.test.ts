import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { sparseVmdk } from '../../support/sparse-vmdk.ts';
import { sameDisk, writeRawDisk } from '../support/images.ts';
import { importInPod, type PodOptions, type PodRun } from '../support/importer.ts';
import { startNginx } from '../support/nginx.ts';
import { run, type Server } from '../support/processes.ts';

const MEBIBYTE = 1024 * 1024;

describe('importer: formats and compressions', () => {
  let directory: string;
  let root: string;
  let raw: string;
  let server: Server;
  let withoutRanges: Server;

  const importFrom = (from: Server, name: string, options: Omit<PodOptions, 'source'> = {}): Promise<PodRun> =>
    importInPod(directory, { ...options, source: { url: `http://127.0.0.1:${from.port}/${name}` } });
  const convert = async (name: string, ...parameters: string[]): Promise<void> => {
    await run('qemu-img', ['convert', ...parameters, raw, join(root, name)]);
  };
  const expectSameDisk = async ({ result, diskImage }: PodRun, format: string): Promise<void> => {
    expect(result).to.include({ outcome: 'succeeded', format, virtualSize: 64 * MEBIBYTE });
    expect(await sameDisk(diskImage, raw)).to.equal(true);
    expect((await stat(diskImage)).blocks * 512).to.be.lessThan(5 * MEBIBYTE);
  };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-formats-'));
    root = join(directory, 'www');
    await mkdir(root);
    raw = join(root, 'disk.img');
    await writeRawDisk(raw);
    server = await startNginx({ directory, root });
    withoutRanges = await startNginx({ directory, root, directives: 'max_ranges 0;' });
  });

  after(async () => {
    await Promise.all([server.stop(), withoutRanges.stop()]);
    await rm(directory, { recursive: true, force: true });
  });

  it('writes a raw image sparsely and grows it to the usable size', async () => {
    const imported = await importFrom(server, 'disk.img');
    expect(imported.exitCode).to.equal(0);
    await expectSameDisk(imported, 'raw');
    const { size, mode } = await stat(imported.diskImage);
    expect(size).to.equal(94 * MEBIBYTE);
    expect(mode & 0o777).to.equal(0o660);
  });

  for (const program of ['gzip', 'zstd', 'pzstd', 'xz', 'bzip2']) {
    it(`recognises ${program} by its content`, async () => {
      const name = `${program}.html`;
      await run('sh', ['-c', `${program} -1 -c "$1" > "$2"`, 'sh', raw, join(root, name)]);
      await expectSameDisk(await importFrom(server, name), 'raw');
    });
  }

  it('goes on where one compressed member ends and another begins', async () => {
    const script = 'head -c 20000000 "$1" | gzip > "$2"; tail -c +20000001 "$1" | gzip >> "$2"';
    await run('sh', ['-c', script, 'sh', raw, join(root, 'members.gz')]);
    await expectSameDisk(await importFrom(server, 'members.gz'), 'raw');
  });

  it('unpacks nested compressions of a qcow2', async () => {
    await convert('nested.qcow2', '-O', 'qcow2');
    const script = 'xz -1 -c "$1" | gzip -c > "$2"';
    await run('sh', ['-c', script, 'sh', join(root, 'nested.qcow2'), join(root, 'nested.xz.gz')]);
    await expectSameDisk(await importFrom(server, 'nested.xz.gz'), 'qcow2');
  });

  for (const format of ['--format=oldgnu', '--format=pax']) {
    it(`keeps the holes of a disk of 20 GiB in a tar archive made with --sparse ${format}`, async () => {
      const large = join(root, 'disk.raw');
      await writeRawDisk(large, 20 * 1024 * MEBIBYTE);
      await run('tar', ['-C', root, '--sparse', format, '-czf', join(root, 'image.tar.gz'), 'disk.raw']);
      const target = { capacity: 24 * 1024 * MEBIBYTE };
      const { result, diskImage } = await importFrom(withoutRanges, 'image.tar.gz', { target });
      expect(result).to.include({ outcome: 'succeeded', format: 'raw', virtualSize: 20 * 1024 * MEBIBYTE });
      expect(await sameDisk(diskImage, large)).to.equal(true);
      expect((await stat(diskImage)).blocks * 512).to.be.lessThan(5 * MEBIBYTE);
    });
  }

  it('leaves the footer of a VHD of fixed size out, also where the disk just fits', async () => {
    await convert('fixed.vhd', '-O', 'vpc', '-o', 'subformat=fixed,force_size=on');
    await run('sh', ['-c', 'cd "$1"; gzip -1 -k fixed.vhd; tar -cf fixed.tar fixed.vhd', 'sh', root]);
    const target = { capacity: 64 * MEBIBYTE, filesystemOverhead: 0 };
    for (const name of ['fixed.vhd', 'fixed.vhd.gz', 'fixed.tar']) {
      for (const from of [server, withoutRanges]) {
        const imported = await importFrom(from, name, { target });
        await expectSameDisk(imported, 'vhd');
        expect((await stat(imported.diskImage)).size).to.equal(64 * MEBIBYTE);
      }
    }
  });

  it('unpacks a tar archive with a compressed qcow2 in it, whatever the names are', async () => {
    await convert('packed.qcow2', '-O', 'qcow2', '-c');
    const script =
      'cd "$1" && xz -1 -c packed.qcow2 > disk.vhd && echo notes > notes.txt && tar -czf "$2" notes.txt disk.vhd';
    await run('sh', ['-c', script, 'sh', root, join(root, 'archive.iso')]);
    await expectSameDisk(await importFrom(withoutRanges, 'archive.iso'), 'qcow2');
  });

  it('reads an image piece by piece that lies in a tar archive', async () => {
    await convert('packed.qed', '-O', 'qed');
    await run('tar', ['-C', root, '-cf', join(root, 'archive.tar'), 'packed.qed']);
    await expectSameDisk(await importFrom(server, 'archive.tar'), 'qed');
  });

  it('streams an OVA and checks it against its manifest', async () => {
    await convert('disk.vmdk', '-O', 'vmdk', '-o', 'subformat=streamOptimized');
    const file = '<File ovf:href="disk.vmdk" ovf:id="f"/>';
    await writeFile(join(root, 'vm.ovf'), `<Envelope>${file}<Disk ovf:fileRef="f" ovf:diskId="d"/></Envelope>`);
    const script = 'cd "$1" && sha256sum --tag vm.ovf disk.vmdk > vm.mf && tar -cf vm.ova vm.ovf disk.vmdk vm.mf';
    await run('sh', ['-c', script, 'sh', root]);
    await expectSameDisk(await importFrom(withoutRanges, 'vm.ova'), 'vmdk');
    await run('sh', ['-c', 'cd "$1" && echo >> vm.ovf && tar -cf vm.ova vm.ovf disk.vmdk vm.mf', 'sh', root]);
    const { result } = await importFrom(withoutRanges, 'vm.ova');
    expect(result).to.include({ outcome: 'failed', code: 'ChecksumMismatch' });
  });

  const streamable: Record<string, string[]> = {
    plain: [],
    'version 2': ['-o', 'compat=0.10'],
    'zlib clusters': ['-c'],
    'zstd clusters': ['-c', '-o', 'compression_type=zstd'],
    'the smallest clusters': ['-o', 'cluster_size=512'],
    'small compressed clusters': ['-c', '-o', 'cluster_size=4k'],
    'the largest clusters': ['-o', 'cluster_size=2M'],
    'large compressed clusters': ['-c', '-o', 'cluster_size=2M'],
    'preallocated tables': ['-o', 'preallocation=metadata'],
    'clusters written out of order': ['-W', '-m', '16'],
  };
  for (const [kind, parameters] of Object.entries(streamable)) {
    it(`streams a qcow2 with ${kind}, from a server without ranges`, async () => {
      await convert('image.qcow2', '-O', 'qcow2', ...parameters);
      await expectSameDisk(await importFrom(withoutRanges, 'image.qcow2'), 'qcow2');
    });
  }

  const mapped: Record<string, string[]> = {
    vdi: ['-O', 'vdi'],
    vmdk: ['-O', 'vmdk'],
    vhd: ['-O', 'vpc', '-o', 'force_size=on'],
    vhdx: ['-O', 'vhdx'],
  };
  for (const [format, parameters] of Object.entries(mapped)) {
    it(`streams ${parameters.slice(1).join(' ')}, compressed or from a server without ranges`, async () => {
      const name = `mapped.${format}`;
      await convert(name, ...parameters);
      await run('sh', ['-c', 'cd "$1"; gzip -1 -k "$2"', 'sh', root, name]);
      await expectSameDisk(await importFrom(withoutRanges, name), format);
      await expectSameDisk(await importFrom(server, `${name}.gz`), format);
      await expectSameDisk(await importFrom(server, name), format);
    });
  }

  const random: Record<string, string[]> = {
    qcow2: ['-O', 'qcow2', '-o', 'extended_l2=on'],
    qed: ['-O', 'qed'],
  };
  for (const [format, parameters] of Object.entries(random)) {
    it(`reads ${parameters.slice(1).join(' ')} piece by piece where the server has ranges`, async () => {
      await convert(`image.${format}`, ...parameters);
      await expectSameDisk(await importFrom(server, `image.${format}`), format);
    });
  }

  it('reads a qcow2 that was written to by a guest, whose tables lie anywhere', async () => {
    const image = join(root, 'guest.qcow2');
    await run('qemu-img', ['create', '-f', 'qcow2', '-o', 'cluster_size=4k', image, '64M']);
    const writes = Array.from(
      { length: 60 },
      (_, index) => `write -P ${index + 1} ${((index * 37) % 64) * MEBIBYTE} 6k`,
    );
    await run('qemu-io', ['-f', 'qcow2', ...writes.flatMap((command) => ['-c', command]), image]);
    // Growing it moves the L1 table behind everything.
    await run('qemu-img', ['resize', '-f', 'qcow2', image, '90M']);
    await run('qemu-img', ['convert', '-O', 'raw', image, join(root, 'guest.img')]);
    const { result, diskImage } = await importFrom(server, 'guest.qcow2');
    expect(result).to.include({ outcome: 'succeeded', virtualSize: 90 * MEBIBYTE });
    expect(await sameDisk(diskImage, join(root, 'guest.img'))).to.equal(true);
  });

  it('asks for scratch space only where nothing else is left, and goes on from there', async () => {
    await convert('scratch.qed', '-O', 'qed');
    const disk = await readFile(raw);
    await writeFile(
      join(root, 'scratch.vmdk'),
      sparseVmdk(disk, { grainSize: 64 * 1024, entries: 512, tablesLast: true }),
    );
    for (const format of ['qed', 'vmdk']) {
      const without = await importFrom(withoutRanges, `scratch.${format}`);
      expect(without.exitCode).to.equal(1);
      expect(without.result.outcome).to.equal('scratch-required');
      const scratch = await mkdtemp(join(directory, 'scratch-'));
      const options = { scratch: true, settings: { scratch } };
      await expectSameDisk(await importFrom(withoutRanges, `scratch.${format}`, options), format);
      const { stdout } = await run('ls', ['-A', scratch]);
      expect(stdout).to.equal('');
    }
  });
});
