import type { Manager } from '../../kube/manager.ts';
import type { ControllerContext } from './context.ts';
import type { Right } from './rights.ts';

/** The part of the manager that a controller is added to. */
export type ControllerHost = Pick<Manager, 'addController' | 'informer' | 'metrics'>;

/** Makes a controller, or several related ones, part of the product. */
export interface ControllerSetup<Context extends ControllerContext = ControllerContext> {
  /** Rights of the controller, besides reading the shared caches. */
  readonly rights: readonly Right[];
  /** Adds the controller with its watches, and registers its metrics. */
  readonly setup: (host: ControllerHost, context: Context) => void;
}

/** Number of workers for tasks that are numerous and mainly wait for the API server. */
export const MANY_WORKERS = 16;
