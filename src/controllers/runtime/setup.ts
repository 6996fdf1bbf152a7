import type { Manager } from '../../kube/manager.ts';
import type { ControllerContext } from './context.ts';
import type { Right } from './rights.ts';

/** What of the manager a controller is added to. */
export type ControllerHost = Pick<Manager, 'addController' | 'informer' | 'metrics'>;

/** How a controller, or several that belong together, become part of the product. */
export interface ControllerSetup<Context extends ControllerContext = ControllerContext> {
  /** What it may do, besides reading the caches that all share. */
  readonly rights: readonly Right[];
  /** Adds the controller with its watches, and registers its metrics. */
  readonly setup: (host: ControllerHost, context: Context) => void;
}

/** Workers for the work that comes by the dozen and consists of waiting for the API server. */
export const MANY_WORKERS = 16;
