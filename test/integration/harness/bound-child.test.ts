import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { eventually } from '../../support/eventually.ts';

const module = join(import.meta.dirname, '../../support/bound-child.ts');
const script = `
  const { spawnBound } = await import(${JSON.stringify(module)});
  console.log(spawnBound('sleep', ['600'], { stdio: 'ignore' }).pid);
`;

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('spawnBound', () => {
  it('starts programs that end with the process, also when it is killed', async () => {
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface(parent.stdout), 'line')) as [string];
    const child = Number(line);
    expect(isAlive(child)).to.be.true;
    parent.kill('SIGKILL');
    await eventually('the program has ended', () => !isAlive(child));
  });
});
