import { expect } from 'chai';
import { Progress } from '../../../../src/base/progress.ts';
import type { UpdatableSink } from '../../../../src/sink/updatable-sink.ts';
import { CHECKED_LENGTH } from '../../../../src/transfer/copy/block-checks.ts';
import type { Checkpoint, CheckpointStore } from '../../../../src/transfer/copy/copy-checkpoint.ts';
import { type CloneOffer, MISMATCHED_BASE } from '../../../../src/transfer/copy/copy-protocol.ts';
import { DiskReceiver } from '../../../../src/transfer/copy/disk-receiver.ts';
import { type DiskExtent, type DiskExtents, encodeExtents } from '../../../../src/transfer/copy/extent-stream.ts';

const MEBIBYTE = 1024 * 1024;
const SIZE = 16 * CHECKED_LENGTH;
const END = SIZE - CHECKED_LENGTH;
const HALF = SIZE / 2;
const contentId = 'a'.repeat(64);
const whole: CloneOffer = { contentType: 'blockdevice-clone', contentId, virtualSize: SIZE };

/** A device that tells what is done with it, in order. */
class TracedDevice {
  readonly calls: string[] = [];
  readonly #size: number;
  stored: Checkpoint | undefined;
  failure: Error | undefined;

  readonly sink: UpdatableSink = {
    path: 'device',
    readsAsZeros: true,
    begin: () => Promise.resolve(),
    resume: () => Promise.resolve(true),
    update: () => Promise.resolve(true),
    read: (_offset, length) => Promise.resolve(Buffer.alloc(length)),
    write: ({ offset }) => this.#call(`write ${offset}`),
    checkpoint: async () => {
      await this.#call('sync');
      if (this.failure) throw this.failure;
      return { identity: 'device' };
    },
    finish: () => Promise.resolve({ size: this.#size, preallocated: false }),
    suspend: () => this.#call('suspend'),
    abandon: () => this.#call('abandon'),
  };

  readonly checkpoints: CheckpointStore;

  constructor(size = SIZE, end = size - CHECKED_LENGTH) {
    this.#size = size;
    this.checkpoints = {
      end,
      read: () => Promise.resolve(this.stored),
      write: (checkpoint) => {
        this.stored = checkpoint;
        return Promise.resolve();
      },
      clear: async () => {
        await this.#call('clear');
        this.stored = undefined;
      },
    };
  }

  receiver(holdsBase: boolean): DiskReceiver {
    const { sink, checkpoints } = this;
    return new DiskReceiver({ sink, checkpoints, empty: () => Promise.resolve(), holdsBase }, new Progress());
  }

  #call(what: string): Promise<void> {
    this.calls.push(what);
    return Promise.resolve();
  }
}

describe('the receiver of a disk', () => {
  it('keeps the mark of a base that is none, though the connection breaks at once', async () => {
    const device = new TracedDevice();
    device.stored = { contentId, from: HALF, target: { identity: 'device', isUpdate: true } };
    const receiver = device.receiver(true);
    await receiver.begin({ ...whole, from: HALF });
    const stream = await encode({ size: SIZE, checks: [{ offset: 0, code: 1n }], extents: nothing() });
    expect(await failureOf(receiver.write(stream))).to.have.property('code', 'BaseMismatch');
    await receiver.suspend();
    expect(device.stored).to.have.property('contentId', MISMATCHED_BASE);
  });

  it('makes a device that held a base durable before its checkpoint goes', async () => {
    const device = new TracedDevice();
    const receiver = device.receiver(true);
    await receiver.begin(whole);
    expect(device.stored).to.have.property('contentId', contentId);
    device.calls.length = 0;
    await receiver.write(await encode({ size: SIZE, extents: data(0, END, SIZE) }));
    expect(device.calls).to.deep.equal(['write 0', 'sync', 'clear', `write ${END}`]);
  });

  it('closes its device, though no checkpoint can be made', async () => {
    const device = new TracedDevice();
    const receiver = device.receiver(false);
    await receiver.begin(whole);
    await receiver.write(await encode({ size: SIZE, extents: data(0, END) }));
    device.failure = new Error('the device is gone');
    expect(await failureOf(receiver.suspend())).to.equal(device.failure);
    expect(device.calls.at(-1)).to.equal('suspend');
  });

  it('takes nothing for durable after a sync that has failed, though the next one succeeds', async () => {
    const size = 128 * MEBIBYTE;
    const device = new TracedDevice(size);
    const receiver = device.receiver(false);
    await receiver.begin({ ...whole, virtualSize: size });
    device.failure = new Error('a write was lost');
    // So much that it is synced in the background.
    await receiver.write(await encode({ size, extents: data(0, 64 * MEBIBYTE) }));
    await new Promise(setImmediate);
    expect(device.calls).to.include('sync');
    device.failure = undefined;
    await receiver.suspend();
    expect(device.stored).to.equal(undefined);
  });

  it('is not complete where a sync in the background has failed, though the last one succeeds', async () => {
    const device = new TracedDevice(64 * MEBIBYTE, Infinity);
    const receiver = device.receiver(false);
    await receiver.begin({ ...whole, virtualSize: 64 * MEBIBYTE });
    device.failure = new Error('a write was lost');
    await receiver.add([{ offset: 0, length: 64 * MEBIBYTE, data: Buffer.alloc(64 * MEBIBYTE, 1) }]);
    const finishing = failureOf(receiver.finish());
    device.failure = undefined;
    expect(await finishing).to.have.property('message', 'a write was lost');
  });
});

async function* data(...places: number[]): AsyncGenerator<DiskExtent[]> {
  for (const [index, end] of places.entries()) {
    const offset = places[index - 1];
    if (offset !== undefined) yield [{ offset, length: end - offset, data: Buffer.alloc(end - offset, 1) }];
    await Promise.resolve();
  }
}

function nothing(): DiskExtents['extents'] {
  return data();
}

async function encode(extents: DiskExtents): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const some of encodeExtents(extents)) pieces.push(...some.map((piece) => Buffer.from(piece)));
  // Without the record of the end, because the rest is still to come.
  return Buffer.concat(pieces.slice(0, -1));
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}
