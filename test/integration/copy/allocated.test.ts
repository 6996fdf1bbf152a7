import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { encodeBlockRanges } from '../../../src/protocol/block-ranges.ts';
import type { RunningRole } from '../support/running-role.ts';
import { CloneRig, portOf } from './rig/clone-rig.ts';
import { LoopDevices, sh } from './rig/disks.ts';

const MEBIBYTE = 1024 * 1024;
const SIZE = 128;
/** What is written of the disk, in MiB. */
const written = [
  [0, 1],
  [17, 40],
  [90, 10],
] as const;
const allocated = 51 * MEBIBYTE;

describe('a copy of a device of which the allocated ranges are known', () => {
  let rig: CloneRig;
  let devices: LoopDevices;
  let source: string;
  let target: string;

  beforeEach(async () => {
    rig = await CloneRig.create();
    devices = new LoopDevices(rig.directory);
    source = devices.attach('source.raw', SIZE);
    target = devices.attach('target.raw', SIZE);
    for (const [at, length] of written) {
      sh(
        'dd if=/dev/urandom of="$1" bs=1M seek="$2" count="$3" conv=notrunc iflag=fullblock status=none',
        '/',
        source,
        String(at),
        String(length),
      );
    }
    sh('dd if=/dev/urandom of="$1" bs=1M count=64 conv=notrunc iflag=fullblock status=none', '/', target);
  });

  afterEach(async () => {
    devices.detach();
    await rig.dispose();
  });

  async function tell(ranges: readonly (readonly [number, number])[], capacity = SIZE): Promise<void> {
    const text = encodeBlockRanges({
      capacity: capacity * MEBIBYTE,
      ranges: ranges.map(([at, length]) => ({ offset: at * MEBIBYTE, length: length * MEBIBYTE })),
    });
    await writeFile(join(rig.directory, 'client-tls', 'allocated-ranges'), text);
  }

  async function copy(): Promise<{ read: number; allocation: unknown }> {
    const server: RunningRole = rig.startServer({ volumeMode: 'Block' }, { blockDevice: target });
    const client = rig.startSource({ volumeMode: 'Block' }, { port: await portOf(server), blockDevice: source });
    const [received, sent] = await Promise.all([server.result(), client.result()]);
    if (received.outcome !== 'succeeded' || sent.outcome !== 'succeeded')
      throw new Error(JSON.stringify([received, sent]));
    execFileSync('cmp', [source, target]);
    return { read: sent.bytesRead, allocation: received.allocation };
  }

  it('reads only these, and writes zeros over what was on the target', async () => {
    await tell(written);
    expect(await copy()).to.deep.equal({ read: allocated, allocation: 'used' });
  });

  it('reads what is beyond the end that the driver knows of', async () => {
    await tell(written, 122);
    expect(await copy()).to.deep.equal({ read: allocated + 6 * MEBIBYTE, allocation: 'used' });
  });

  it('reads everything where a range is left out that is allocated', async () => {
    await tell([written[0], written[2]]);
    expect(await copy()).to.deep.equal({ read: SIZE * MEBIBYTE, allocation: 'wrong' });
  });

  it('reads everything where a range begins too late, by little', async () => {
    await tell([written[0], [18, 39], written[2]]);
    expect((await copy()).allocation).to.equal('wrong');
  });

  it('reads everything where the driver says that the disk is larger', async () => {
    await tell(written, 300);
    expect(await copy()).to.deep.equal({ read: SIZE * MEBIBYTE, allocation: 'wrong' });
  });
});
