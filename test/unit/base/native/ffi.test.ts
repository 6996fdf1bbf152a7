import { readFileSync } from 'node:fs';
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

describe('a native library', () => {
  /** Belongs to libc, and nothing else in this process uses it. */
  const NAME = 'libBrokenLocale.so.1';

  it('stays loaded, though nobody has any use for it', async () => {
    expect(NativeLibrary.bind(NAME, () => null)).to.equal(null);
    for (let round = 0; round < 5; round += 1) {
      await new Promise(setImmediate);
      collectGarbage();
    }
    expect(readFileSync('/proc/self/maps', 'latin1')).to.include(`/${NAME}`);
  });
});
