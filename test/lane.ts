import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { env, execPath, stderr, stdout } from 'node:process';
import type { Readable } from 'node:stream';
import { repository } from './cluster/folders.ts';
import { spawnBound } from './support/bound-child.ts';
import { cachedTypeScript } from './support/product-command.ts';
import { type Outcome, OUTCOME_VARIABLE } from './support/reporter.ts';

const MOCHA = join(repository, 'node_modules/mocha/bin/mocha.js');

/** Suites that one mocha runs, one after the other, beside those of other lanes. */
export class Lane {
  readonly #ended: Promise<number>;
  readonly #suites: readonly string[];
  readonly #outcome: string;
  readonly #released = Promise.withResolvers<void>();
  readonly #told: Promise<unknown>;

  /**
   * Starts mocha. What it writes is held back until {@link tell} is called.
   *
   * @param suites names of folders in test/
   * @param options of mocha
   * @param folder an existing one, for its own files
   */
  constructor(suites: readonly string[], options: readonly string[], folder: string) {
    this.#suites = suites;
    this.#outcome = join(folder, `${suites.join('-')}.json`);
    // Beside the tests there are helpers, some of which are programs of their own.
    const tests = suites.map((suite) => join('test', suite, '**', '*.test.ts'));
    // Not by $NODE_COMPILE_CACHE, which programs that tests measure would have, too.
    const child = spawnBound(
      execPath,
      [...cachedTypeScript, MOCHA, ...(stdout.isTTY ? ['--color'] : []), ...options, ...tests],
      {
        cwd: repository,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...env, [OUTCOME_VARIABLE]: this.#outcome },
      },
    );
    this.#ended = once(child, 'exit').then(([status]) => (status as number | null) ?? 1);
    this.#told = Promise.all([this.#pass(child.stdout!, stdout), this.#pass(child.stderr!, stderr)]);
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  }

  /** Lets it write from now on, what was held back first. Resolves when it has ended, to its exit code and outcome. */
  async tell(): Promise<{ status: number; outcome: Outcome }> {
    this.#released.resolve();
    const status = await this.#ended;
    await this.#told;
    // A mocha that did not get to the end of its tests leaves no outcome.
    const outcome = await readFile(this.#outcome, 'utf8').then(
      (text) => JSON.parse(text) as Outcome,
      () => ({
        passed: 0,
        failures:
          status === 0
            ? []
            : [
                {
                  title: this.#suites.join(', '),
                  message: `ended early, with exit code ${status}`,
                  file: '',
                  titlesBegin: '',
                },
              ],
      }),
    );
    return { status, outcome };
  }

  async #pass(from: Readable, to: NodeJS.WriteStream): Promise<void> {
    let isReleased = false;
    const held: Buffer[] = [];
    const releasing = this.#released.promise.then(() => {
      isReleased = true;
      for (const chunk of held.splice(0)) to.write(chunk);
    });
    for await (const chunk of from as AsyncIterable<Buffer>) {
      if (isReleased) to.write(chunk);
      else held.push(chunk);
    }
    await releasing;
  }
}
