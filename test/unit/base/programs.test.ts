import { expect } from 'chai';
import { ByteReader } from '../../../src/base/bytes.ts';
import { programSucceeds, runProgram } from '../../../src/base/programs.ts';
import { decompressAll } from '../../../src/codec/decompress/decompress.ts';
import { lend } from './streams.ts';

describe('programs', () => {
  const path = process.env['PATH'];

  afterEach(() => {
    process.env['PATH'] = path;
  });

  it('are said to be missing where they are', async () => {
    process.env['PATH'] = '/nonexistent';
    const bzip2 = Buffer.concat([Buffer.from('BZh91AY&SY'), Buffer.alloc(100)]);
    const { reader } = await decompressAll(new ByteReader(lend(bzip2, [50]))).catch((error: unknown) => ({
      reader: error,
    }));
    expect(reader).to.include({ code: 'ProgramMissing', permanent: true });
    expect(await programSucceeds('no-such-program', [])).to.equal(false);
  });

  it('end with those that started them', async () => {
    const controller = new AbortController();
    const started = performance.now();
    const running = runProgram('sh', ['-c', 'sleep 60 & wait'], { signal: controller.signal });
    setTimeout(() => {
      controller.abort(new Error('enough'));
    }, 50);
    expect(await running.catch((error: unknown) => error)).to.have.property('message', 'enough');
    expect(performance.now() - started).to.be.lessThan(10_000);
  });
});
