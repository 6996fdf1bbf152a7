import { writeFileSync } from 'node:fs';
import { env } from 'node:process';
import mocha from 'mocha';

const { Base, Spec } = mocha.reporters;

/** How a run of tests ended. */
export interface Outcome {
  readonly passed: number;
  /** What failed, in a line each: the title of the test in full, and the error's first line. */
  readonly failures: readonly string[];
}

/** Names the file that a run's {@link Outcome} is written to as JSON, if any. */
export const OUTCOME_VARIABLE = 'DISKPRESS_TEST_OUTCOME';

/** The failures, and at last `N passed, N failed`. */
export const summaryOf = ({ passed, failures }: Outcome): string =>
  [...failures.map((failure) => `failed: ${failure}`), `${passed} passed, ${failures.length} failed`].join('\n');

/** Mocha's own report, whose end tells the whole in few lines. */
export default class SummaryReporter extends Spec {
  constructor(runner: mocha.Runner, options: mocha.MochaOptions) {
    super(runner, options);
    const { EVENT_RUN_END, EVENT_TEST_FAIL } = mocha.Runner.constants;
    const failures: string[] = [];
    runner.on(EVENT_TEST_FAIL, (test: mocha.Test, error: Error) => {
      failures.push(`${test.fullTitle()}: ${error.message.split('\n', 1)[0]}`);
    });
    // The failures in full come with the end of the run too, before this.
    runner.once(EVENT_RUN_END, () => {
      const outcome: Outcome = { passed: this.stats.passes, failures };
      const path = env[OUTCOME_VARIABLE];
      if (path) writeFileSync(path, JSON.stringify(outcome));
      Base.consoleLog(summaryOf(outcome));
    });
  }
}
