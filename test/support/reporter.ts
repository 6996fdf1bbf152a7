import mocha from 'mocha';

const { Base, Spec } = mocha.reporters;

/** Mocha's own report, whose last line tells the whole: `N passed, N failed`. */
export default class SummaryReporter extends Spec {
  constructor(runner: mocha.Runner, options: mocha.MochaOptions) {
    super(runner, options);
    // The failures in full come with the end of the run too, before this.
    runner.once(mocha.Runner.constants.EVENT_RUN_END, () => {
      Base.consoleLog(`${this.stats.passes} passed, ${this.stats.failures} failed`);
    });
  }
}
