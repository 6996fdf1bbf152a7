import { requireSameObjectNow } from '../source/cloned-object.ts';
import { rebindVolume } from '../../claims/rebind/rebind-volume.ts';
import type { Phase } from './phase.ts';

/** What is told from the volume's promise to the target on, until that is bound. */
export const HANDING_OVER = 'the volume is being handed to the claim';

/** Rebind: the working claim's volume is handed to the target claim. */
export const rebind: Phase = async ({ context, target, source, workingClaim }) => {
  // From here on it is the target's, whatever becomes of the source.
  await requireSameObjectNow(context.client, source, source.uid);
  const outcome = await rebindVolume(context, target, workingClaim);
  if (outcome === 'done') return 'complete';
  return { message: HANDING_OVER, ...(outcome.after === undefined ? {} : { after: outcome.after }) };
};
