import { ApiError } from '../../../src/kube/errors.ts';
import { actions } from './actions.ts';
import type { HostileWorld } from './world.ts';

/** What became of a hostile tenant's attempts. */
export interface Tally {
  accepted: number;
  refused: number;
  /** What the API server answered that is neither: it should not fail at anything. */
  readonly failures: string[];
}

/** Tries so many actions at random, some of them at a time. */
export async function attempt(world: HostileWorld, tally: Tally, count: number, atATime: number): Promise<void> {
  let left = count;
  const lane = async () => {
    while (left-- > 0) await attemptOne(world, tally);
  };
  await Promise.all(Array.from({ length: atATime }, lane));
}

async function attemptOne(world: HostileWorld, tally: Tally): Promise<void> {
  const [what, action] = world.random.of(Object.entries(actions));
  try {
    await action(world);
    tally.accepted++;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status >= 400 && error.status < 500) tally.refused++;
    else tally.failures.push(`${what}: ${error.message}`);
  }
}
