import { mock } from 'node:test';
import { expect } from 'chai';
import fc from 'fast-check';
import { TransferError } from '../../../src/base/errors.ts';
import { printableJson, printableLine } from '../../../src/base/printable.ts';
import { Progress } from '../../../src/base/progress.ts';
import { print, printLines, redrawLines, report, tell } from '../../../src/cli/output.ts';
import { ProgressBar } from '../../../src/cli/progress-bar.ts';

/** C0 and C1 controls, and what turns the direction of text: none may get to a terminal but line ends that are ours. */
const control = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const hostile = 'amd64\x1b]0;title\x07\x1b[2J\u009b31m\u202eeman\r\nsecond\u2028line\0';

describe('what the command line writes', () => {
  let lines: string[];

  beforeEach(() => {
    lines = [];
    for (const method of ['log', 'error'] as const) mock.method(console, method, (line: string) => lines.push(line));
  });

  afterEach(() => {
    mock.restoreAll();
    process.exitCode = undefined;
  });

  it('does nothing to a terminal, whatever it tells', async () => {
    tell(hostile);
    printLines(['first', hostile]);
    print({ hostile });
    await report(() => Promise.reject(new TransferError('PlatformNotFound', hostile)), {});
    await report(() => Promise.reject(new Error(hostile)), { json: true });
    expect(lines).to.have.length(5);
    for (const line of lines.flatMap((text) => text.split('\n'))) expect(line).not.to.match(control);
    expect(lines[0]).to.equal('diskpress: amd64?]0;title??[2J?31m?eman second?line?');
    expect(lines[1]).to.match(/^first\namd64/);
  });

  it('is one line where it is a failure', async () => {
    await report(() => Promise.reject(new TransferError('InvalidImage', 'bad\ndiskpress: all is well')), {});
    expect(lines).to.deep.equal(['diskpress: bad diskpress: all is well']);
  });

  it('does nothing to a terminal but what we want in a bar or a table that is drawn anew', () => {
    const progress = new Progress();
    progress.failed(new TransferError('ServerUnavailable', hostile), 1000);
    const written: string[] = [];
    const output = { columns: 500, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream;
    new ProgressBar(progress, output).stop();
    const [drawn = ''] = written;
    expect(drawn.startsWith('\r\x1b[2K')).to.equal(true);
    expect(drawn.slice('\r\x1b[2K'.length)).to.contain('amd64').and.not.to.match(control);
    redrawLines([hostile]);
    expect(lines[0]).not.to.match(control);
  });
});

describe('printable text', () => {
  it('keeps what people write', () => {
    const text = 'größe 1.4 GiB › ディスク, נתונים, हिन्दी, “quoted” … 💾';
    expect(printableLine(text)).to.equal(text);
    expect(printableLine('two\r\n  lines\tand more')).to.equal('two   lines and more');
  });

  it('has no control characters, and as JSON says the same as before', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printableLine(text)).not.to.match(control);
        expect(printableJson({ text })).not.to.match(control);
        expect(JSON.parse(printableJson({ text }))).to.deep.equal({ text });
      }),
    );
  });

  it('is what every failure says', () => {
    expect(new TransferError('InvalidImage', hostile).message).not.to.match(control);
  });
});
