import { rebindVolume } from '../../populator/rebind-volume.ts';
import type { Phase } from './phase.ts';

/** Rebind: the working claim's volume is handed to the target claim. */
export const rebind: Phase = async ({ context, target, workingClaim }) => {
  const outcome = await rebindVolume(context, target, workingClaim);
  if (outcome === 'done') return 'complete';
  const { waitingFor, after } = outcome;
  return { message: `waiting for ${waitingFor}`, ...(after === undefined ? {} : { after }) };
};
