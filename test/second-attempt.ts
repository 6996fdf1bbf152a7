import { Lane } from './lane.ts';
import type { Failure, Outcome } from './support/reporter.ts';

/** More than this many failures in a run are no accident. */
const MOST_FAILURES = 4;
/** Suites whose tests share real programs and a real cluster with everything else that runs meanwhile. */
const AGAINST_REAL_PARTS = ['integration', 'clusters', 'e2e'];

/**
 * Runs the tests that failed once more, by themselves and in a process of their own, where they are few and depend on
 * real parts. What passes then is told as unsteady; whatever fails for a reason fails twice. What fails in a hook of
 * the whole run stays failed: no test would show it again.
 *
 * @param folder an existing one without files of another run
 */
export async function secondAttempt(first: Outcome, folder: string): Promise<Outcome> {
  const failures = first.failures.filter((failure) => !isOfWholeRun(failure));
  const suites = failures.map(suiteOf);
  if (failures.length === 0 || failures.length > MOST_FAILURES || suites.includes(undefined)) return first;
  const titles = failures.map(({ titlesBegin }) => titlesBegin.replaceAll(/[^\w ]/g, '\\$&'));
  console.log(`\nonce more, by themselves:\n${failures.map(({ title }) => title).join('\n')}`);
  const again = new Lane([...new Set(suites as string[])], ['--grep', `^(${titles.join('|')})`], folder);
  const { outcome } = await again.tell();
  const lasting = outcome.failures.filter(isOfWholeRun);
  const stillFails = ({ titlesBegin }: Failure) =>
    outcome.failures.some(
      (failure) =>
        !lasting.includes(failure) &&
        (failure.title.startsWith(titlesBegin) || titlesBegin.startsWith(failure.titlesBegin)),
    );
  const unsteady = outcome.passed === 0 ? [] : failures.filter((failure) => !stillFails(failure));
  return {
    passed: first.passed + outcome.passed,
    failures: [...first.failures.filter((failure) => !unsteady.includes(failure)), ...lasting],
    unsteady,
  };
}

/** Whether it failed in a hook of all suites, or ended mocha. */
const isOfWholeRun = ({ titlesBegin }: Failure): boolean => titlesBegin === '';

function suiteOf({ file }: Failure): string | undefined {
  return AGAINST_REAL_PARTS.find((suite) => file.includes(`/test/${suite}/`));
}
