import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { CHECKPOINT_NAME, CheckpointTail } from '../../../src/transfer/copy/copy-checkpoint.ts';
import { eventually } from '../../support/eventually.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { OWNER_UID, type RunningRole } from '../support/running-role.ts';
import { CloneRig, portOf } from './rig/clone-rig.ts';
import { sh, writeLargeDisk, writeSparseDisk } from './rig/disks.ts';
import { describeTree, makeOddTree } from './rig/trees.ts';

const MEBIBYTE = 1024 * 1024;
/** Where a disk is gone on with is rounded down to it. */
const ALIGNMENT = 64 * 1024;

describe('a clone that is broken off goes on where it was', () => {
  let rig: CloneRig;

  beforeEach(async () => {
    rig = await CloneRig.create();
  });

  afterEach(() => rig.dispose());

  /** Stops the source in the middle; returns how many bytes the server has got by then. */
  async function stopSource(source: RunningRole, server: RunningRole, atLeast: number): Promise<number> {
    await server.progress(({ bytesRead }) => bytesRead >= atLeast);
    source.process.kill('SIGSTOP');
    return (await server.progress(() => true)).bytesRead;
  }

  /** Where the server went on, each time. */
  function continuations(server: RunningRole): number[] {
    return server.log.filter(({ message }) => message === 'continuing').map(({ from }) => Number(from));
  }

  describe('a disk image', () => {
    const size = 256 * MEBIBYTE;
    let disk: string;

    beforeEach(() => {
      disk = join(rig.source, 'disk.img');
      writeLargeDisk(disk, size / MEBIBYTE);
    });

    function expectWhole(): void {
      execFileSync('cmp', [disk, join(rig.target, 'disk.img')]);
      expect(sh('ls -A', rig.target)).to.equal('disk.img\n');
    }

    it('whose connection is cut, twice: at the byte that it had come to', async () => {
      const server = rig.startServer({ capacity: size });
      const proxy = await TcpProxy.start(await portOf(server));
      try {
        const source = rig.startSource({}, { port: proxy.port });
        const reached: number[] = [];
        for (const atLeast of [10 * MEBIBYTE, 80 * MEBIBYTE]) {
          reached.push((await server.progress(({ bytesRead }) => bytesRead > atLeast)).bytesRead);
          proxy.cut();
        }
        const sent = await source.result();
        expect((await server.result()).outcome).to.equal('succeeded');
        const [first = 0, second = 0] = continuations(server);
        expect(first).to.be.at.least((reached[0] ?? size) - ALIGNMENT);
        expect(second).to.be.at.least((reached[1] ?? size) - ALIGNMENT);
        expect(sent).to.include({ bytesWritten: size - second, bytesRead: size });
      } finally {
        await proxy.close();
      }
      expectWhole();
    });

    it('whose source is killed and replaced', async () => {
      const server = rig.startServer({ capacity: size });
      const port = await portOf(server);
      const first = rig.startSource({}, { port });
      const reached = await stopSource(first, server, 10 * MEBIBYTE);
      await first.kill();

      const sent = await rig.startSource({}, { port }).result();
      expect((await server.result()).outcome).to.equal('succeeded');
      const [from = 0] = continuations(server);
      expect(from).to.be.at.least(reached - ALIGNMENT);
      expect(sent).to.include({ outcome: 'succeeded', bytesWritten: size - from });
      expectWhole();
    });

    it('whose server is killed and replaced: at its last checkpoint', async () => {
      const first = rig.startServer({ capacity: size });
      const port = await portOf(first);
      const source = rig.startSource({}, { port });
      await stopSource(source, first, 80 * MEBIBYTE);
      await eventually('a checkpoint is there', () => existsSync(join(rig.target, CHECKPOINT_NAME)));
      await first.kill();
      const second = rig.startServer({ capacity: size }, { port });
      await portOf(second);
      source.process.kill('SIGCONT');

      const sent = await source.result();
      expect((await second.result()).outcome).to.equal('succeeded');
      const [from = 0] = continuations(second);
      expect(from).to.be.at.least(60 * MEBIBYTE);
      expect(sent).to.include({ outcome: 'succeeded', bytesWritten: size - from });
      expectWhole();
    });

    it('whose server is told to stop, and is replaced: at the byte that it had come to', async () => {
      const first = rig.startServer({ capacity: size });
      const port = await portOf(first);
      const source = rig.startSource({}, { port });
      const reached = await stopSource(source, first, 10 * MEBIBYTE);
      await first.kill('SIGTERM');
      const second = rig.startServer({ capacity: size }, { port });
      await portOf(second);
      source.process.kill('SIGCONT');

      expect((await source.result()).outcome).to.equal('succeeded');
      expect((await second.result()).outcome).to.equal('succeeded');
      expect(continuations(second)[0]).to.be.at.least(reached - ALIGNMENT);
      expectWhole();
    });

    it('but from its start where the source has changed meanwhile, or the transfer is another', async () => {
      const server = rig.startServer({ capacity: size });
      const port = await portOf(server);
      const changed = rig.startSource({}, { port });
      await stopSource(changed, server, 10 * MEBIBYTE);
      await changed.kill();
      await utimes(disk, 1, 1);
      const other = rig.startSource({}, { port });
      await stopSource(other, server, 10 * MEBIBYTE);
      await other.kill();

      const sent = await rig.startSource({ transfer: 'another' }, { port }).result();
      expect(sent).to.include({ outcome: 'succeeded', bytesWritten: size });
      expect((await server.result()).outcome).to.equal('succeeded');
      expect(continuations(server)).to.deep.equal([]);
      expectWhole();
    });
  });

  it('a device, and the checkpoint on the target leaves no trace', async () => {
    const size = 256;
    const source = rig.devices.attach('source.raw', size);
    writeLargeDisk(rig.devices.file('source.raw'), size);
    const target = rig.devices.attach('target.raw', size);
    const tail = await CheckpointTail.on(target, OWNER_UID);
    const first = rig.startServer({ volumeMode: 'Block' }, { blockDevice: target });
    const port = await portOf(first);
    const sender = rig.startSource({ volumeMode: 'Block' }, { port, blockDevice: source });
    await stopSource(sender, first, 80 * MEBIBYTE);
    await eventually('a checkpoint is there', () => tail.read());
    await first.kill();
    const second = rig.startServer({ volumeMode: 'Block' }, { port, blockDevice: target });
    await portOf(second);
    sender.process.kill('SIGCONT');

    expect((await sender.result()).outcome).to.equal('succeeded');
    expect((await second.result()).outcome).to.equal('succeeded');
    expect(continuations(second)[0]).to.be.at.least(60 * MEBIBYTE);
    execFileSync('cmp', [source, target]);
  });

  it('a device that cannot deallocate: nothing that was on it shows through', async () => {
    const source = join(rig.source, 'disk.img');
    writeSparseDisk(source, 300);
    sh('dd if=/dev/urandom of="$1" bs=1M count=100 conv=notrunc status=none', '/', source);
    const target = rig.devices.attach('target.raw', 300);
    sh('yes stale | dd of="$1" bs=1M iflag=fullblock oflag=direct status=none count=300', '/', target);
    const volume = { volumeMode: 'Block', preallocation: true } as const;
    const first = rig.startServer(volume, { blockDevice: target });
    const port = await portOf(first);
    const sender = rig.startSource({}, { port });
    await stopSource(sender, first, 80 * MEBIBYTE);
    const tail = await CheckpointTail.on(target, OWNER_UID);
    await eventually('a checkpoint is there', () => tail.read());
    await first.kill();
    const second = rig.startServer(volume, { port, blockDevice: target });
    await portOf(second);
    sender.process.kill('SIGCONT');

    expect((await sender.result()).outcome).to.equal('succeeded');
    expect((await second.result()).outcome).to.equal('succeeded');
    expect(continuations(second)[0]).to.be.at.least(60 * MEBIBYTE);
    execFileSync('cmp', [source, target]);
  });

  describe('a tree', () => {
    beforeEach(() => {
      makeOddTree(rig.source);
      sh(
        `dd if=/dev/urandom of=part bs=256K count=1 status=none
         for d in $(seq 8); do mkdir -m 555 z$d; chmod 755 z$d; for f in $(seq 64); do cp part z$d/$f; done; ln z$d/1 z$d/link; done
         chmod 555 z1 z2; rm part`,
        rig.source,
      );
    });

    async function expectWhole(server: RunningRole, source: RunningRole): Promise<void> {
      expect((await source.result()).outcome).to.equal('succeeded');
      expect((await server.result()).outcome).to.equal('succeeded');
      expect(describeTree(rig.target)).to.equal(describeTree(rig.source));
      expect(await readdir(rig.target)).not.to.include(CHECKPOINT_NAME);
    }

    it('whose source is killed and replaced: without the files that have arrived', async () => {
      const server = rig.startServer({ contentType: 'archive' }, {}, { asPodUser: true });
      const port = await portOf(server);
      const first = rig.startSource({ contentType: 'archive' }, { port });
      const reached = await stopSource(first, server, 60 * MEBIBYTE);
      await first.kill();

      const second = rig.startSource({ contentType: 'archive' }, { port });
      await expectWhole(server, second);
      const leftOut = second.log.find(({ message }) => message === 'leaving out');
      // All but the file that was under way, and what has several names and so is sent again.
      expect(Number(leftOut?.['bytes'])).to.be.at.least(reached - 16 * MEBIBYTE);
    });

    it('whose server is killed and replaced: without the files that are durable', async () => {
      const first = rig.startServer({ contentType: 'archive' }, {}, { asPodUser: true });
      const port = await portOf(first);
      const source = rig.startSource({ contentType: 'archive' }, { port });
      await stopSource(source, first, 80 * MEBIBYTE);
      const checkpoint = join(rig.target, CHECKPOINT_NAME);
      await eventually('a checkpoint of the first files', () => !sh('cat "$1"', '/', checkpoint).includes('"0"'));
      await first.kill();
      const second = rig.startServer({ contentType: 'archive' }, { port }, { asPodUser: true });
      await portOf(second);
      source.process.kill('SIGCONT');

      await expectWhole(second, source);
      const leftOut = source.log.find(({ message }) => message === 'leaving out');
      expect(Number(leftOut?.['files'])).to.be.at.least(20);
    });
  });
});
