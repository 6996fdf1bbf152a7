import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { sameDisk } from '../support/images.ts';
import { run } from '../support/processes.ts';
import { mixedDisk, UploadRig } from './rig/upload-rig.ts';

const SIZE = 24;

describe('an upload', () => {
  let rig: UploadRig;
  let raw: string;
  let disk: Buffer;

  before(() => {
    disk = mixedDisk(SIZE);
  });

  beforeEach(async () => {
    rig = await UploadRig.create();
    raw = join(rig.directory, 'raw');
    await writeFile(raw, disk);
  });

  afterEach(async () => {
    await rig.dispose();
  });

  const makers: Record<string, (to: string) => Promise<unknown>> = {
    raw: async (to) => run('cp', [raw, to]),
    qcow2: async (to) => run('qemu-img', ['convert', '-O', 'qcow2', raw, to]),
    'compressed qcow2': async (to) => run('qemu-img', ['convert', '-c', '-O', 'qcow2', raw, to]),
    'raw.gz': async (to) => run('bash', ['-ec', 'gzip -1 < "$1" > "$2"', 'bash', raw, to]),
    'raw.xz': async (to) => run('bash', ['-ec', 'xz -0 < "$1" > "$2"', 'bash', raw, to]),
    'raw.zst': async (to) => run('bash', ['-ec', 'zstd -q -1 < "$1" > "$2"', 'bash', raw, to]),
    'streamOptimized VMDK': async (to) =>
      run('qemu-img', ['convert', '-O', 'vmdk', '-o', 'subformat=streamOptimized', raw, to]),
    VDI: async (to) => run('qemu-img', ['convert', '-O', 'vdi', raw, to]),
  };

  for (const [name, make] of Object.entries(makers)) {
    it(`of ${name} is written while it arrives, without scratch space`, async () => {
      const image = join(rig.directory, 'image');
      await make(image);
      const server = rig.start();
      const answer = await rig.send(server, { body: await readFile(image) });
      expect(answer).to.include({ status: 200, text: '' });
      const result = await server.result();
      expect(result).to.include({ outcome: 'succeeded', virtualSize: SIZE * 1024 * 1024 });
      expect(await sameDisk(rig.diskImage, raw)).to.equal(true);
      expect(await readdir(rig.target)).to.deep.equal(['disk.img']);
    });
  }

  it('of a compressed qcow2 with data far before its table is written while it arrives', async () => {
    const script = `truncate -s 640M "$1"
      write() { dd of="$1" bs=1M seek="$2" conv=notrunc status=none; }
      yes golden | head -c 1M | write "$1" 504
      head -c 15M /dev/urandom | write "$1" 505
      yes golden | head -c 1M | write "$1" 521
      qemu-img convert -c -f raw -O qcow2 "$1" "$2"`;
    const image = join(rig.directory, 'image');
    await run('bash', ['-ec', script, 'bash', raw, image]);
    const server = rig.start();
    expect((await rig.send(server, { body: await readFile(image) })).status).to.equal(200);
    expect((await server.result()).outcome).to.equal('succeeded');
    expect(await sameDisk(rig.diskImage, raw)).to.equal(true);
  });

  for (const method of ['POST', 'PUT']) {
    it(`is taken by ${method} from curl, which sends it in chunks`, async () => {
      const server = rig.start();
      const to = await rig.curlArguments(server, '/v1alpha1/upload');
      const script = 'image=$1; shift; curl --upload-file - "$@" < "$image"';
      const { stdout } = await run('bash', ['-ec', script, 'bash', raw, '--request', method, ...to]);
      expect(stdout).to.equal('200');
      expect((await server.result()).outcome).to.equal('succeeded');
      expect(await sameDisk(rig.diskImage, raw)).to.equal(true);
    });
  }

  it('of an archive is unpacked', async () => {
    const folder = join(rig.directory, 'tree');
    await run('bash', [
      '-ec',
      'mkdir -p "$1/etc"; echo golden > "$1/etc/hostname"; cp "$2" "$1/data"',
      'bash',
      folder,
      raw,
    ]);
    const archive = join(rig.directory, 'tree.tar.gz');
    await run('tar', ['-C', folder, '-czf', archive, '.']);
    const server = rig.start({ target: { contentType: 'archive' } });
    const answer = await rig.send(server, { body: await readFile(archive), path: '/v1beta1/upload-archive' });
    expect(answer.status).to.equal(200);
    expect((await server.result()).outcome).to.equal('succeeded');
    await run('diff', ['-r', folder, rig.target]);
  });
});
