import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { mock } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { NameFeeder } from '../../../../src/transfer/copy/name-feeder.ts';
import type { TreeMember } from '../../../../src/transfer/copy/tree-members.ts';

const KIBIBYTE = 1024;
const MOST_AHEAD = 16 * 1024 * KIBIBYTE;

function member(path: string, inode: number, properties: Partial<TreeMember> = {}): TreeMember {
  const times = { modified: '0.0', changed: '0.0', mode: '644' };
  return { path, inode, isFile: true, links: 1, stored: 0, size: 0, ...times, ...properties };
}

async function* list(...lists: TreeMember[][]): AsyncGenerator<TreeMember[]> {
  for (const members of lists) yield await Promise.resolve(members);
}

/** Collects what tar would get. */
class Names extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString('latin1');
    void setImmediate().then(() => done());
  }

  /** How many there are by now. */
  get count(): number {
    return this.text.split('\0').length - 1;
  }

  /** Waits for all of it. */
  async paths(): Promise<string[]> {
    await finished(this).catch(() => undefined);
    return this.text.split('\0').slice(0, -1);
  }
}

describe('names for tar', () => {
  it('have folders before their content, and files in the order of their inodes', async () => {
    const names = new Names();
    const folder = member('folder', 9, { isFile: false });
    const members = [member('b', 5), folder, member('folder/c', 2), member('folder/not \xff text', 7), member('a', 1)];
    await new NameFeeder('/volume', names).feed(list(members.slice(0, 2), members.slice(2)));
    expect(await names.paths()).to.deep.equal(['./folder', './a', './folder/c', './b', './folder/not \xff text']);
  });

  it('are all there, each once, however many there are and however late they are taken', async () => {
    const names = new Names({ highWaterMark: KIBIBYTE });
    const lists = Array.from({ length: 30 }, (_, part) =>
      Array.from({ length: 1000 }, (_none, index) => member(`${part}-${index}`, (index * 7919) % 1000)),
    );
    await new NameFeeder('/volume', names).feed(list(...lists));
    expect(await names.paths()).to.have.lengthOf(30_000);
    expect(new Set(await names.paths())).to.have.property('size', 30_000);
  });

  describe('of files that are read ahead', () => {
    const size = 64 * KIBIBYTE;
    const members = Array.from({ length: 600 }, (_, index) => member(`${index}`, index, { size, stored: size }));

    beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
    afterEach(() => mock.timers.reset());

    /** Lets a second pass, in which everything happens that can. */
    async function second(): Promise<void> {
      for (let quarter = 0; quarter < 4; quarter += 1) {
        for (let turn = 0; turn < 10; turn += 1) await setImmediate();
        mock.timers.tick(250);
      }
    }

    it('come though less is archived than was announced, as of files without data', async () => {
      const names = new Names();
      const feeder = new NameFeeder('/volume', names);
      const feeding = feeder.feed(list(members));
      for (let told = 0, turn = 0; turn < 20; turn += 1) {
        await second();
        const more = names.count - told;
        told = names.count;
        if (more === 0) continue;
        feeder.archived(more * 512);
        feeder.awaited();
      }
      await feeding;
      expect(names.count).to.equal(600);
    });

    it('wait for tar, however long nobody takes what it has written', async () => {
      const names = new Names();
      const feeder = new NameFeeder('/volume', names);
      feeder.archived(0);
      const feeding = feeder.feed(list(members));
      for (let seconds = 0; seconds < 10; seconds += 1) await second();
      expect(names.count).to.be.within(1, MOST_AHEAD / size);
      for (let written = 0; written < 600 * size; written += 1024 * KIBIBYTE) {
        feeder.archived(1024 * KIBIBYTE);
        await second();
      }
      await feeding;
      expect(names.count).to.equal(600);
    });

    it('are not read far ahead of tar, however often the disk is silent', async () => {
      let bytes = 0;
      const names = new Names();
      const feeder = new NameFeeder('/volume', names, (_path, length) => void (bytes += length));
      const many = Array.from({ length: 6000 }, (_, index) => member(`${index}`, index, { size, stored: size }));
      const feeding = feeder.feed(list(many));
      for (let silences = 0; silences < 8; silences += 1) {
        await second();
        await setImmediate();
        feeder.archived(KIBIBYTE);
        feeder.awaited();
      }
      expect(bytes).to.be.within(MOST_AHEAD / 2, 2 * MOST_AHEAD);
      feeder.stop();
      await feeding;
    });

    it('are not read far ahead of tar while it writes a file of which little is read ahead', async () => {
      let bytes = 0;
      const names = new Names();
      const feeder = new NameFeeder('/volume', names, (_path, length) => void (bytes += length));
      const large = member('large', 0, { size: 1024 * MOST_AHEAD, stored: 1024 * MOST_AHEAD });
      const many = Array.from({ length: 6000 }, (_, index) => member(`${index}`, index + 1, { size, stored: size }));
      const feeding = feeder.feed(list([large, ...many]));
      for (let written = 0; written < 64 * MOST_AHEAD; written += MOST_AHEAD) {
        feeder.archived(MOST_AHEAD);
        for (let turn = 0; turn < 10; turn += 1) await setImmediate();
      }
      expect(bytes).to.be.within(MOST_AHEAD / 2, MOST_AHEAD);
      feeder.stop();
      await feeding;
    });

    it('come without being read ahead, where the disk is silent', async () => {
      const names = new Names();
      const feeder = new NameFeeder('/volume', names);
      const feeding = feeder.feed(list(members));
      for (let seconds = 0; seconds < 10; seconds += 1) await second();
      await feeding;
      expect(names.count).to.equal(600);
    });
  });

  it('end where tar has ended', async () => {
    const names = new Names();
    const feeder = new NameFeeder('/volume', names);
    names.destroy();
    await feeder.feed(list([member('a', 1)], [member('b', 2)]));
    expect(await names.paths()).to.deep.equal([]);
  });
});
