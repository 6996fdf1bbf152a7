import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Ovirt, startOvirt } from '../../support/ovirt/ovirt.ts';
import { sameDisk } from '../support/images.ts';
import type { PodRun } from '../support/importer.ts';
import { OvirtPods } from '../support/ovirt-pods.ts';
import { run } from '../support/processes.ts';

const MEBIBYTE = 1024 * 1024;
const disk = 'd2000000-0000-4000-8000-000000000002';
const [first, second, grown, active] = ['one', 'two', 'grown', 'now'].map(
  (name) => `a2000000-0000-4000-8000-${name}`,
) as [string, string, string, string];

describe('importer: oVirt, in stages', () => {
  let directory: string;
  let ovirt: Ovirt;
  let pods: OvirtPods;
  let diskImage: string;

  const layer = (id: string): string => join(directory, `${id}.qcow2`);

  before(async function () {
    // ovirt-imageio is installed on the first run.
    this.timeout(0);
    directory = await mkdtemp(join(tmpdir(), 'diskpress-ovirt-'));
    ovirt = await startOvirt({ address: '127.0.0.1', state: directory });
    pods = new OvirtPods(directory, ovirt);
    diskImage = join(await mkdtemp(join(directory, 'volume-')), 'disk.img');
    const write = (id: string, ...commands: string[]) =>
      run('qemu-io', ['-f', 'qcow2', ...commands.flatMap((command) => ['-c', command]), layer(id)]);
    const snapshot = (id: string, previous: string, ...size: string[]) =>
      run('qemu-img', ['create', '-f', 'qcow2', '-b', layer(previous), '-F', 'qcow2', layer(id), ...size]);
    await run('qemu-img', ['create', '-f', 'qcow2', layer(first), '80M']);
    await write(first, 'write -P 0x11 0 20M', 'write -P 0x12 60M 4M');
    await snapshot(second, first);
    await write(second, 'write -P 0x21 5M 1M', 'write -z 8M 2M', 'write -P 0x22 40M 1M');
    await snapshot(grown, second, '92M');
    await write(grown, 'write -P 0x41 90M 2M');
    await snapshot(active, grown);
    await write(active, 'write -z 40M 512k', 'write -P 0x31 79M 1M');
    ovirt.engine.addDisk({ id: disk, layers: [first, second, grown, active].map((id) => ({ id, file: layer(id) })) });
  });

  after(async () => {
    await ovirt.stop();
    await rm(directory, { recursive: true, force: true });
  });

  afterEach(() => {
    expect(ovirt.transfers.open).to.deep.equal([]);
    expect([...ovirt.engine.sessions]).to.deep.equal([]);
  });

  const importStage = (previous: string, current: string): Promise<PodRun> =>
    pods.import(disk, { stage: { previous, current, isFinal: current === active }, diskImage });

  for (const [previous, current, mebibytes] of [
    ['', first, 24],
    [first, second, 2],
    [second, grown, 2],
    [grown, active, 1],
  ] as const) {
    it(`reads what ${current} has besides ${previous || 'nothing'}, and the disk is as it was then`, async () => {
      const { result } = await importStage(previous, current);
      expect(result, JSON.stringify(result)).to.include({ outcome: 'succeeded', bytesRead: mebibytes * MEBIBYTE });
      const expected = join(directory, 'expected.raw');
      await run('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', layer(current), expected]);
      expect(await sameDisk(diskImage, expected)).to.equal(true);
    });
  }

  it('explains a snapshot that is not there', async () => {
    const { result } = await importStage('', 'a2000000-0000-4000-8000-gone');
    expect(result).to.include({ outcome: 'failed', code: 'NotFound' });
    expect(result).to.have.property('message').that.includes('has no snapshot a2000000-0000-4000-8000-gone');
  });

  it('explains snapshots that do not follow each other', async () => {
    const { result } = await importStage(active, second);
    expect(result).to.include({ outcome: 'failed', code: 'RequestRejected' });
    expect(result).to.have.property('message').that.includes(`follows ${first}, and not ${active}`);
  });

  it('reads whole snapshots of an engine that is too old to tell what has changed, and the disk is as it was then', async () => {
    diskImage = join(await mkdtemp(join(directory, 'volume-')), 'disk.img');
    await importStage('', first);
    const stages = [
      ['ignored', first, second, 24],
      ['refused', second, grown, 26],
    ] as const;
    for (const [shallow, previous, current, mebibytes] of stages) {
      ovirt.engine.shallow = shallow;
      const { result } = await importStage(previous, current);
      expect(result, shallow).to.include({ outcome: 'succeeded' });
      expect(result)
        .to.have.property('bytesRead')
        .that.is.at.most(mebibytes * MEBIBYTE);
      const expected = join(directory, 'expected.raw');
      await run('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', layer(current), expected]);
      expect(await sameDisk(diskImage, expected), shallow).to.equal(true);
    }
  });
});
