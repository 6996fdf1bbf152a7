import { mock } from 'node:test';
import { expect } from 'chai';
import { renderProgress } from '../../../src/cli/progress-bar.ts';
import { followProgress } from '../../../src/cli/progress-report.ts';

const MEBIBYTE = 1024 * 1024;

describe('the progress of the command line', () => {
  const { isTTY } = process.stderr;
  let lines: string[];

  beforeEach(() => {
    lines = [];
    mock.timers.enable({ apis: ['setInterval'] });
    mock.method(console, 'error', (line: string) => lines.push(line));
    process.stderr.isTTY = false;
  });

  afterEach(() => {
    mock.restoreAll();
    mock.timers.reset();
    process.stderr.isTTY = isTTY;
  });

  it('is a line now and then where there is no terminal, until it is stopped', () => {
    const { progress, following } = followProgress(false);
    progress.enter('copying');
    progress.counters.bytesTotal = 100 * MEBIBYTE;
    progress.read(25 * MEBIBYTE);
    expect(lines).to.deep.equal([]);
    mock.timers.tick(10_000);
    expect(lines).to.have.lengthOf(1);
    expect(lines[0]).to.match(/^diskpress: 25\.0 % {2}25 MiB of 100 MiB {2}.*copying$/);
    following.stop();
    mock.timers.tick(60_000);
    expect(lines).to.have.lengthOf(1);
  });

  it('has a bar as far as it is known how much there is', () => {
    const known = { stage: 'copying', bytesRead: MEBIBYTE, bytesSkipped: 0, bytesWritten: 0, bytesPerSecond: 0 };
    const snapshot = { ...known, retries: 0, connections: 1 };
    expect(renderProgress(snapshot)).to.equal('1 MiB  copying');
    expect(renderProgress({ ...snapshot, percent: 50, bytesTotal: 2 * MEBIBYTE })).to.equal(
      `[${'#'.repeat(15)}${'-'.repeat(15)}]  50.0 %  1 MiB of 2 MiB  copying`,
    );
  });
});
