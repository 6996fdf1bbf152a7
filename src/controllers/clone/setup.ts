import type { ControllerSetup } from '../runtime/setup.ts';
import { cloneCopy } from './copy/setup.ts';
import { cloneGrants } from './grants/setup.ts';
import type { CloneContext } from './metrics/clone-count.ts';
import { CloneMetrics } from './metrics/clone-metrics.ts';
import { clonePopulator } from './populator/setup.ts';

const controllers: readonly ControllerSetup<CloneContext>[] = [clonePopulator, cloneCopy, cloneGrants];

/** The controllers that clone, which share one count of the clones that succeed. */
export const clone: ControllerSetup = {
  rights: controllers.flatMap(({ rights }) => rights),
  setup(host, context) {
    const cloneCount = new CloneMetrics(host.metrics.registry, context.caches);
    for (const { setup } of controllers) setup(host, { ...context, cloneCount });
  },
};
