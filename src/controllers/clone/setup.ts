import { ChangedBlocks } from '../changed-blocks/changed-blocks.ts';
import { AnnouncedServices, metadataRights, type MetadataServices } from '../changed-blocks/metadata-services.ts';
import type { ControllerContext } from '../runtime/context.ts';
import type { ControllerSetup } from '../runtime/setup.ts';
import { cloneBases } from './bases/setup.ts';
import { cloneCopy } from './copy/setup.ts';
import { cloneGrants } from './grants/setup.ts';
import type { CloneContext } from './metrics/clone-count.ts';
import { CloneMetrics } from './metrics/clone-metrics.ts';
import { clonePopulator } from './populator/setup.ts';

const controllers: readonly ControllerSetup<CloneContext>[] = [clonePopulator, cloneCopy, cloneGrants, cloneBases];

/**
 * The controllers that clone, which share one count of the clones that succeed, and what they ask of CSI drivers.
 *
 * @param servicesOf returns where the services of CSI drivers are found
 */
export function cloneWith(servicesOf: (context: ControllerContext) => MetadataServices): ControllerSetup {
  return {
    rights: [...metadataRights, ...controllers.flatMap(({ rights }) => rights)],
    setup(host, context) {
      const cloneCount = new CloneMetrics(host.metrics.registry, context.caches);
      const changedBlocks = new ChangedBlocks(servicesOf(context), context.now);
      for (const { setup } of controllers) setup(host, { ...context, cloneCount, changedBlocks });
    },
  };
}

/** The controllers that clone, with the services that the cluster announces. */
export const clone = cloneWith((context) => new AnnouncedServices(context));
