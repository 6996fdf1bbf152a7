import { expect } from 'chai';
import { portOf } from './rig/clone-rig.ts';
import { MEBIBYTE, type Ranges, ToldDevices } from './rig/told-devices.ts';

const SIZE = 128;
/** What is written of the disk, in MiB. */
const written = [
  [0, 1],
  [17, 40],
  [90, 10],
] as const;
const allocated = 51 * MEBIBYTE;

describe('a copy of a device of which the allocated ranges are known', () => {
  let devices: ToldDevices;

  beforeEach(async () => {
    devices = await ToldDevices.of(SIZE);
    devices.write(written);
    devices.write([[0, 64]], { device: devices.target });
  });

  afterEach(() => devices.dispose());

  const tell = (ranges: Ranges, capacity?: number) => devices.tell('allocated-ranges', ranges, capacity);

  async function copy(): Promise<{ read: number; allocation: unknown }> {
    const server = devices.startServer();
    const client = devices.startSource(await portOf(server));
    const [received, sent] = await Promise.all([server.result(), client.result()]);
    if (received.outcome !== 'succeeded' || sent.outcome !== 'succeeded')
      throw new Error(JSON.stringify([received, sent]));
    devices.compare();
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

  it('reads everything where the list is not understood, as that of another version may be', async () => {
    await devices.tellText('allocated-ranges', Buffer.of(255, 1, 2).toString('base64'));
    expect(await copy()).to.deep.equal({ read: SIZE * MEBIBYTE, allocation: undefined });
  });
});
