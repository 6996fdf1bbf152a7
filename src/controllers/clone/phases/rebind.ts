import { rebindVolume } from '../../claims/rebind/rebind-volume.ts';
import { requireSameObjectNow } from '../source/cloned-object.ts';
import type { Phase } from './phase.ts';

/** The message from the moment at which the volume is promised to the target until the target is bound. */
export const HANDING_OVER = 'the volume is being handed to the claim';

/** The phase Rebind: the working claim's volume is handed over to the target claim. */
export const rebind: Phase = async ({ context, target, source, workingClaim }) => {
  // From here on the volume is the target's, whatever happens to the source.
  await requireSameObjectNow(context.client, source, source.uid);
  const outcome = await rebindVolume(context, target, workingClaim);
  if (outcome === 'done') return 'complete';
  return { message: HANDING_OVER, ...(outcome.after === undefined ? {} : { after: outcome.after }) };
};
