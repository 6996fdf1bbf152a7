import { writeFileSync } from 'node:fs';
import { env } from 'node:process';
import mocha from 'mocha';
import { recordDurations, recordedDurations, remaining, roughly } from './remaining.ts';

const { Base, Spec } = mocha.reporters;

/** A test, or a hook, that failed. */
export interface Failure {
  /** Title in full. */
  readonly title: string;
  /** First line of the error. */
  readonly message: string;
  /** Path of the test file. */
  readonly file: string;
  /**
   * Begins the titles of the tests that show whether it fails again: of the test, or of all that a hook is for. Empty
   * for hooks of the whole run.
   */
  readonly titlesBegin: string;
}

/** How a run of tests ended. */
export interface Outcome {
  readonly passed: number;
  readonly failures: readonly Failure[];
  /** What failed at first, and passed when it was tried once more by itself. */
  readonly unsteady?: readonly Failure[];
}

/** Names the file that a run's {@link Outcome} is written to as JSON, if any. */
export const OUTCOME_VARIABLE = 'DISKPRESS_TEST_OUTCOME';

/** The failures in a line each, and at last `N passed, N failed`. */
export function summaryOf({ passed, failures, unsteady = [] }: Outcome): string {
  const told = (what: string, all: readonly Failure[]) =>
    all.map(({ title, message }) => `${what}: ${title}: ${message}`);
  return [
    ...told('failed, then passed', unsteady),
    ...told('failed', failures),
    `${passed} passed, ${failures.length} failed`,
  ].join('\n');
}

/** Milliseconds between two words about how long it will still take. */
const ESTIMATE_MILLISECONDS = 60_000;

/** Mocha's own report, which tells each minute how much is left, and at its end the whole in few lines. */
export default class SummaryReporter extends Spec {
  constructor(runner: mocha.Runner, options: mocha.MochaOptions) {
    super(runner, options);
    const { EVENT_RUN_END, EVENT_TEST_FAIL, EVENT_TEST_END } = mocha.Runner.constants;
    this.#tellWhatIsLeft(runner, EVENT_TEST_END, options.grep);
    const failures: Failure[] = [];
    runner.on(EVENT_TEST_FAIL, (test: mocha.Test | mocha.Hook, error: Error) => {
      failures.push({
        title: test.fullTitle(),
        message: error.message.split('\n', 1)[0] ?? '',
        file: test.file ?? '',
        titlesBegin: repeatable(test),
      });
    });
    // The failures in full come with the end of the run too, before this.
    runner.once(EVENT_RUN_END, () => {
      const outcome: Outcome = { passed: this.stats.passes, failures };
      const path = env[OUTCOME_VARIABLE];
      if (path) writeFileSync(path, JSON.stringify(outcome));
      Base.consoleLog(summaryOf(outcome));
    });
  }

  #tellWhatIsLeft(runner: mocha.Runner, testEnds: string, grep: RegExp | string = ''): void {
    const recorded = recordedDurations();
    const took = new Map<string, number>();
    const left = new Set<string>();
    const isChosen = new RegExp(grep);
    runner.suite.eachTest((test) => {
      if (isChosen.test(test.fullTitle())) left.add(test.fullTitle());
    });
    const began = performance.now();
    let told = began;
    runner.on(testEnds, (test: mocha.Test) => {
      left.delete(test.fullTitle());
      took.set(test.fullTitle(), test.duration ?? 0);
      const now = performance.now();
      if (now - told < ESTIMATE_MILLISECONDS) return;
      told = now;
      const titles = [...took.keys()];
      const time = remaining(titles, [...left], now - began, recorded);
      const estimate = time === undefined ? '' : `, about ${roughly(time)} left`;
      Base.consoleLog(`    [${titles.length} of ${titles.length + left.size} tests${estimate}]`);
    });
    runner.once(mocha.Runner.constants.EVENT_RUN_END, () => recordDurations(took));
  }
}

/** Returns how the titles of what can be run by itself begin: of tests of a cluster's life, one follows another. */
function repeatable(test: mocha.Test | mocha.Hook): string {
  let { parent } = test;
  if (test.file?.includes('/test/clusters/')) while (parent?.parent?.title) ({ parent } = parent);
  else if (test.type !== 'hook') return test.fullTitle();
  return parent?.fullTitle() ?? '';
}
