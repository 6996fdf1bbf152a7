import { expect } from 'chai';
import { portOf } from './rig/clone-rig.ts';
import { sh, writeLargeDisk } from './rig/disks.ts';
import { MEBIBYTE, type Ranges, ToldDevices } from './rig/told-devices.ts';

const SIZE = 192;

describe('a copy onto an earlier copy of the same device', () => {
  let devices: ToldDevices;

  beforeEach(async () => {
    devices = await ToldDevices.of(SIZE);
    writeLargeDisk(devices.file('source'), SIZE);
    sh('cp "$1" "$2"', '/', devices.file('source'), devices.file('target'));
  });

  afterEach(() => devices.dispose());

  const tell = (ranges: Ranges) => devices.tell('changed-ranges', ranges);
  const startServer = (port?: number) => devices.startServer({ holdsBase: true, ...(port !== undefined && { port }) });

  it('sends what has changed, and frees what has been freed', async () => {
    devices.write([[10, 2]]);
    devices.write([[100, 4]], { from: '/dev/zero' });
    await tell([
      [10, 2],
      [100, 4],
    ]);
    const server = startServer();
    const sent = await devices.startSource(await portOf(server)).result();
    expect(sent).to.include({ outcome: 'succeeded' });
    expect(sent)
      .to.have.property('bytesWritten')
      .that.is.at.most(2 * MEBIBYTE + 64 * 1024);
    const received = await server.result();
    expect(received).to.include({ outcome: 'succeeded', unchangedBytes: (SIZE - 6) * MEBIBYTE - 65536 });
    expect(received).not.to.have.property('allocation');
    devices.compare();
    const allocated = Number(sh('stat -c %b "$1"', '/', devices.file('target'))) * 512;
    expect(allocated).to.be.at.most((SIZE - 3) * MEBIBYTE);
  });

  it('sends the whole disk where the list is wrong, says so, and frees what the source has not', async () => {
    devices.write([[0, 150]], { from: '/dev/zero' });
    await tell([[180, 1]]);
    const server = startServer();
    const sent = await devices.startSource(await portOf(server)).result();
    expect(sent).to.include({ outcome: 'succeeded' });
    expect(await server.result()).to.include({ outcome: 'succeeded', unchangedBytes: 0, allocation: 'wrong' });
    devices.compare();
  });

  it('sends the whole disk where the list is not understood', async () => {
    devices.write([[0, 150]], { from: '/dev/zero' });
    await devices.tellText('changed-ranges', 'no list');
    const server = startServer();
    expect(await devices.startSource(await portOf(server)).result()).to.include({ outcome: 'succeeded' });
    expect(await server.result()).to.include({ outcome: 'succeeded', unchangedBytes: 0 });
    devices.compare();
  });

  it('goes on where it was, with either end killed', async () => {
    devices.write([[2, 100]]);
    await tell([[2, 100]]);
    const first = startServer();
    const port = await portOf(first);
    const killed = devices.startSource(port);
    await first.progress(({ bytesRead }) => bytesRead > 70 * MEBIBYTE);
    await killed.kill();
    const second = devices.startSource(port);
    await first.logged(({ message }) => message === 'continuing');
    await first.kill();
    const server = startServer(port);
    expect(await second.result()).to.include({ outcome: 'succeeded' });
    expect((await server.result()).outcome).to.equal('succeeded');
    devices.compare();
  });

  it('is whole once it was begun so, whatever is offered to a target in its place', async () => {
    devices.write([[2, 1]]);
    const first = startServer();
    const port = await portOf(first);
    const killed = devices.startSource(port);
    await first.progress(({ bytesRead }) => bytesRead > MEBIBYTE);
    await first.kill('SIGKILL');
    await killed.kill();
    await tell([[2, 1]]);
    const server = startServer(port);
    await portOf(server);
    expect(await devices.startSource(port).result()).to.include({ outcome: 'succeeded' });
    expect(await server.result()).to.include({ outcome: 'succeeded', unchangedBytes: 0 });
    devices.compare();
  });
});
