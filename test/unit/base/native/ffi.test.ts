import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { NativeLibrary } from '../../../../src/base/native/ffi.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const LATER_MICROSECONDS = 200_000;

describe('a native function that may block', () => {
  it('is called with buffers that live until it is over', async () => {
    const wait = NativeLibrary.bind('libc.so.6', (library) =>
      library.blockingCall('int usleep(uint32_t microseconds, const void *memory)'),
    );
    if (wait === null) throw new Error('there is no libc');
    let memory: WeakRef<ArrayBufferLike> | undefined;
    const over = new Promise<void>((resolve) => {
      const buffer = Buffer.allocUnsafeSlow(1024);
      memory = new WeakRef(buffer.buffer);
      wait(() => resolve(), LATER_MICROSECONDS, buffer);
    });
    // What was referred to in this turn of the loop is not collected in it.
    await new Promise(setImmediate);
    collectGarbage();
    expect(memory?.deref()).to.not.equal(undefined);
    await over;
    await new Promise(setImmediate);
    collectGarbage();
    expect(memory?.deref()).to.equal(undefined);
  });
});
