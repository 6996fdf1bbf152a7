import { execFileSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { BlockRange } from '../../../src/base/block-range.ts';
import { encodeBlockRanges } from '../../../src/protocol/block-ranges.ts';
import type { RunningRole } from '../support/running-role.ts';
import { CloneRig, portOf } from './rig/clone-rig.ts';
import { LoopDevices, sh, writeLargeDisk } from './rig/disks.ts';

const MEBIBYTE = 1024 * 1024;
const SIZE = 192;

describe('a copy onto an earlier copy of the same device', () => {
  let rig: CloneRig;
  let devices: LoopDevices;
  let source: string;
  let target: string;

  beforeEach(async () => {
    rig = await CloneRig.create();
    devices = new LoopDevices(rig.directory);
    source = devices.attach('source.raw', SIZE);
    writeLargeDisk(devices.file('source.raw'), SIZE);
    target = devices.attach('target.raw', SIZE);
    sh('cp "$1" "$2"', '/', devices.file('source.raw'), devices.file('target.raw'));
  });

  afterEach(async () => {
    devices.detach();
    await rig.dispose();
  });

  function write(at: number, length: number, from = '/dev/urandom'): void {
    sh(
      'dd if="$1" of="$2" bs=1M seek="$3" count="$4" conv=notrunc oflag=direct iflag=fullblock status=none',
      '/',
      from,
      source,
      String(at),
      String(length),
    );
  }

  async function tell(changed: readonly [mebibyte: number, length: number][]): Promise<void> {
    const ranges: BlockRange[] = changed.map(([at, length]) => ({
      offset: at * MEBIBYTE,
      length: length * MEBIBYTE,
    }));
    const text = encodeBlockRanges({ capacity: SIZE * MEBIBYTE, ranges });
    await writeFile(join(rig.directory, 'client-tls', 'changed-ranges'), text);
  }

  const startServer = (): RunningRole =>
    rig.startServer({ volumeMode: 'Block' }, { blockDevice: target }, { holdsBase: true });
  const startSource = (port: number): RunningRole =>
    rig.startSource({ volumeMode: 'Block' }, { port, blockDevice: source });
  const expectSame = (): void => void execFileSync('cmp', [source, target]);

  it('sends what has changed, and frees what has been freed', async () => {
    write(10, 2);
    write(100, 4, '/dev/zero');
    await tell([
      [10, 2],
      [100, 4],
    ]);
    const server = startServer();
    const sent = await startSource(await portOf(server)).result();
    expect(sent).to.include({ outcome: 'succeeded' });
    expect(sent)
      .to.have.property('bytesWritten')
      .that.is.at.most(2 * MEBIBYTE + 64 * 1024);
    expect(await server.result()).to.include({ outcome: 'succeeded', unchangedBytes: (SIZE - 6) * MEBIBYTE - 65536 });
    expectSame();
    const allocated = Number(sh('stat -c %b "$1"', '/', devices.file('target.raw'))) * 512;
    expect(allocated).to.be.at.most((SIZE - 3) * MEBIBYTE);
  });

  it('sends the whole disk where the list is wrong, and frees what the source has not', async () => {
    write(0, 150, '/dev/zero');
    await tell([[180, 1]]);
    const server = startServer();
    const sent = await startSource(await portOf(server)).result();
    expect(sent).to.include({ outcome: 'succeeded' });
    expect(await server.result()).to.include({ outcome: 'succeeded', unchangedBytes: 0 });
    expectSame();
  });

  it('goes on where it was, with either end killed', async () => {
    write(2, 100);
    await tell([[2, 100]]);
    const first = startServer();
    const port = await portOf(first);
    const killed = startSource(port);
    await first.progress(({ bytesRead }) => bytesRead > 70 * MEBIBYTE);
    await killed.kill();
    const second = startSource(port);
    await first.logged(({ message }) => message === 'continuing');
    await first.kill();
    const server = rig.startServer({ volumeMode: 'Block' }, { blockDevice: target, port }, { holdsBase: true });
    expect(await second.result()).to.include({ outcome: 'succeeded' });
    expect((await server.result()).outcome).to.equal('succeeded');
    expectSame();
  });

  it('is whole once it was begun so, whatever is offered to a target in its place', async () => {
    await tell([[2, 1]]);
    write(2, 1);
    const first = startServer();
    const port = await portOf(first);
    await rm(join(rig.directory, 'client-tls', 'changed-ranges'));
    const killed = startSource(port);
    await first.progress(({ bytesRead }) => bytesRead > MEBIBYTE);
    await first.kill('SIGKILL');
    await killed.kill();
    await tell([[2, 1]]);
    const server = rig.startServer({ volumeMode: 'Block' }, { blockDevice: target, port }, { holdsBase: true });
    await portOf(server);
    expect(await startSource(port).result()).to.include({ outcome: 'succeeded' });
    expect(await server.result()).to.include({ outcome: 'succeeded', unchangedBytes: 0 });
    expectSame();
  });
});
