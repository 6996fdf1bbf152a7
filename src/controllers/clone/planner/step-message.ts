/**
 * Returns what is reported of a step of a clone, for people: "Step 1 of 2: 1.2 GiB of 4.0 GiB, 180 MiB/s, copying". The
 * plan is told once, and not with each step.
 *
 * @param step counted from 1
 */
export function stepMessage(step: number, all: number, message: string): string {
  return `Step ${step} of ${all}: ${message}`;
}

/** Whether a message is about a step of a clone, which has been planned by then. */
export function isStepMessage(message: string): boolean {
  return /^Step \d+ of \d+: /.test(message);
}
