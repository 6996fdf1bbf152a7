import { writeFileSync } from 'node:fs';
import { env } from 'node:process';
import mocha from 'mocha';

const { Base, Spec } = mocha.reporters;

/** How many tests of a run passed, and how many failed. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** Names the file that a run's {@link Counts} are written to as JSON, if any. */
export const COUNTS_VARIABLE = 'DISKPRESS_TEST_COUNTS';

export const summaryOf = ({ passed, failed }: Counts): string => `${passed} passed, ${failed} failed`;

/** Mocha's own report, whose last line tells the whole: `N passed, N failed`. */
export default class SummaryReporter extends Spec {
  constructor(runner: mocha.Runner, options: mocha.MochaOptions) {
    super(runner, options);
    // The failures in full come with the end of the run too, before this.
    runner.once(mocha.Runner.constants.EVENT_RUN_END, () => {
      const counts: Counts = { passed: this.stats.passes, failed: this.stats.failures };
      const path = env[COUNTS_VARIABLE];
      if (path) writeFileSync(path, JSON.stringify(counts));
      Base.consoleLog(summaryOf(counts));
    });
  }
}
