import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { chooseCapacity, satisfies } from '../csi-driver/capacity.ts';
import { KeyLock } from '../csi-driver/key-lock.ts';
import { page } from '../csi-driver/pages.ts';
import { entryId } from '../csi-driver/pool.ts';

const range = (required_bytes: number, limit_bytes = 0) => ({ required_bytes, limit_bytes });

describe("the CSI driver's decisions", () => {
  it('makes at least the requested capacity, in whole blocks', () => {
    expect(chooseCapacity(range(10_000_000), 'device-image')).to.equal(10_002_432);
    expect(chooseCapacity(range(8192), 'device-image')).to.equal(8192);
    expect(chooseCapacity(range(0), 'directory', { atLeast: 12_288 })).to.equal(12_288);
    expect(chooseCapacity(null, 'directory')).to.equal(1024 ** 3);
    expect(chooseCapacity(range(0, 4096), 'directory')).to.equal(4096);
    expect(chooseCapacity(range(5000), 'directory', { roundUpBytes: 1024 ** 3 })).to.equal(1024 ** 3);
    expect(chooseCapacity(range(4096), 'ext4-image')).to.equal(8 * 1024 ** 2);
  });

  it('refuses a capacity that cannot be', () => {
    const code = (call: () => unknown) => {
      try {
        return call();
      } catch (error) {
        return (error as { code: status }).code;
      }
    };
    expect(code(() => chooseCapacity(range(8192, 4096), 'directory'))).to.equal(status.OUT_OF_RANGE);
    expect(code(() => chooseCapacity(range(4096), 'directory', { atLeast: 8192 }))).to.equal(status.OUT_OF_RANGE);
    expect(code(() => chooseCapacity(range(4096, 4096), 'filesystem-image'))).to.equal(status.OUT_OF_RANGE);
    expect(code(() => chooseCapacity(range(-1), 'directory'))).to.equal(status.INVALID_ARGUMENT);
  });

  it('knows whether a volume is within the requested range', () => {
    expect(satisfies(range(10, 20), 20)).to.be.true;
    expect(satisfies(range(10, 20), 21)).to.be.false;
    expect(satisfies(range(10), 9)).to.be.false;
    expect(satisfies(null, 1)).to.be.true;
  });

  it('lists in pages, though entries go and come in between', () => {
    const entries = (...ids: string[]) => ids.map((id) => ({ id }));
    const first = page(entries('a', 'b', 'c', 'd'), '', 2);
    expect(first.entries).to.deep.equal(entries('a', 'b'));

    const second = page(entries('a', 'aa', 'c', 'd'), first.nextToken, 5);
    expect(second).to.deep.equal({ entries: entries('c', 'd'), nextToken: '' });
  });

  it('makes file names of any volume names, always the same of one', () => {
    expect(entryId('pvc-0cb4b0f2-7d5e')).to.equal('pvc-0cb4b0f2-7d5e');
    expect(entryId('../x'))
      .to.match(/^name-[0-9a-f]{64}$/)
      .and.to.equal(entryId('../x'));
    expect(entryId('a'.repeat(128))).to.have.length.below(80);
  });

  it('does one thing at a time for a key, in the order of the calls, whether they fail or not', async () => {
    const lock = new KeyLock();
    const log: string[] = [];
    const task = (name: string) => async () => {
      log.push(`${name} starts`);
      await new Promise(setImmediate);
      log.push(`${name} ends`);
      if (name === 'first') {
        throw new Error('failed');
      }
    };

    const results = await Promise.allSettled([lock.hold('key', task('first')), lock.hold('key', task('second'))]);

    expect(results.map((result) => result.status)).to.deep.equal(['rejected', 'fulfilled']);
    expect(log).to.deep.equal(['first starts', 'first ends', 'second starts', 'second ends']);
  });
});
