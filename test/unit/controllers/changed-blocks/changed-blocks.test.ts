import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { type Answer, ChangedBlocks } from '../../../../src/controllers/changed-blocks/changed-blocks.ts';
import type { MetadataServices, OpenService } from '../../../../src/controllers/changed-blocks/metadata-services.ts';
import { ApiError } from '../../../../src/kube/errors.ts';
import { decodeBlockRanges } from '../../../../src/protocol/block-ranges.ts';
import type { BlockRange } from '../../../../src/snapshot-metadata/snapshot-metadata.ts';

const CAPACITY = 4096;
const question = (name: string) => ({ driver: 'driver', snapshot: { namespace: 'team', name }, capacity: CAPACITY });
const rangesOf = (answer: Answer | 'pending') =>
  answer !== 'pending' && 'document' in answer ? decodeBlockRanges(answer.document).ranges : answer;

const CHANGED: BlockRange[] = [
  { offset: 0, length: 512 },
  { offset: 1000, length: 100 },
  { offset: 2000, length: 100 },
];

/** A service that answers when it is told to. */
class SlowService implements MetadataServices {
  readonly asked: { readonly name: string; readonly answer: (ranges: BlockRange[]) => void }[] = [];
  looked = 0;
  refusal: Error | undefined;

  async has(): Promise<boolean> {
    this.looked += 1;
    if (this.refusal) throw this.refusal;
    return true;
  }

  async open(): Promise<OpenService> {
    return {
      allocated: ({ name }) => new Promise((answer) => this.asked.push({ name, answer })),
      delta: async () => CHANGED,
      close: () => undefined,
    };
  }
}

describe('asking drivers about blocks', () => {
  it('asks each question once, though there are more than are remembered', async () => {
    const service = new SlowService();
    const blocks = new ChangedBlocks(service, () => 0);
    const names = Array.from({ length: 300 }, (_, index) => `snapshot-${index}`);
    const open = new Set(names);
    for (let look = 0; open.size > 0 && look < 1000; look++) {
      for (const name of open) {
        if (blocks.ask(name, question(name)) === 'pending') continue;
        blocks.forget(name);
        open.delete(name);
      }
      await turn();
      if (look > 5) for (const { answer } of service.asked) answer([]);
    }
    expect(open.size).to.equal(0);
    expect(service.asked.map(({ name }) => name).sort()).to.deep.equal(names.sort());
  });

  it('does not take the late answer to a forgotten question for that to the next', async () => {
    const service = new SlowService();
    const blocks = new ChangedBlocks(service, () => 0);
    blocks.ask('copy', question('first'));
    await turn();
    blocks.forget('copy');
    blocks.ask('copy', question('second'));
    await turn();
    const [first, second] = service.asked;
    first?.answer([{ offset: 0, length: 1 }]);
    await turn();
    expect(blocks.ask('copy', question('second'))).to.equal('pending');
    second?.answer([{ offset: 0, length: 2 }]);
    await turn();
    expect(rangesOf(blocks.ask('copy', question('second')))).to.deep.equal([{ offset: 0, length: 2 }]);
  });

  it('remembers for a while whether a driver has a service, and needs no right to ask for it', async () => {
    const service = new SlowService();
    let now = 0;
    const blocks = new ChangedBlocks(service, () => now);
    service.refusal = new ApiError({ code: 403, reason: 'Forbidden', message: 'no' });
    expect(await blocks.has('driver')).to.equal(false);
    service.refusal = undefined;
    expect(await blocks.has('driver')).to.equal(false);
    expect(service.looked).to.equal(1);
    now += 60_000;
    expect(await blocks.has('driver')).to.equal(true);
  });

  it('does not wait for one driver to ask another', async () => {
    const service = new SlowService();
    const blocks = new ChangedBlocks(service, () => 0);
    for (let index = 0; index < 100; index++) blocks.ask(`slow ${index}`, question(`slow ${index}`));
    blocks.ask('copy', { ...question('quick'), driver: 'another' });
    await turn();
    expect(service.asked.map(({ name }) => name)).to.include('quick');
  });

  it('leaves to the source pod what has grown since the earlier snapshot', async () => {
    const service = new SlowService();
    const blocks = new ChangedBlocks(service, () => 0);
    const since = { handle: 'earlier', capacity: 1024 };
    blocks.ask('copy', { ...question('grown'), since });
    await turn();
    const answer = blocks.ask('copy', { ...question('grown'), since });
    expect(answer !== 'pending' && 'document' in answer && decodeBlockRanges(answer.document)).to.deep.equal({
      capacity: 1024,
      ranges: [
        { offset: 0, length: 512 },
        { offset: 1000, length: 24 },
      ],
    });
  });
});
