import { cdis } from '../api/cdi.ts';
import { keyOf } from '../kube/key.ts';
import { persistently, type Step } from './step.ts';

/**
 * Asks the API server whether the CDI object may be deleted, without doing it: its uninstallStrategy may be against it.
 *
 * @throws Error with the server's reason where it may not
 */
export const checkRemoval: Step = async (context) => {
  const { client, signal } = context;
  for (const cdi of await persistently(context, () => client.list(cdis, { signal }))) {
    await persistently(context, () => client.delete(cdis, keyOf(cdi), { dryRun: true, signal }));
  }
};
