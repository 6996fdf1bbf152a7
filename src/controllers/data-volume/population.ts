import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { CountedClaim } from './quota-room.ts';

interface Claims {
  readonly target: CountedClaim;
  readonly working?: CountedClaim;
}

/**
 * How a DataVolume's claim gets its data: by a populator, from a working claim whose volume it is given in the end; by the CSI driver, which
 * it names its source to; or because it is written itself.
 */
export type Population =
  | { readonly by: 'populator'; readonly claims: Claims }
  | {
      readonly by: 'driver';
      readonly claims: Claims;
      readonly dataSource: NonNullable<NonNullable<PersistentVolumeClaim['spec']>['dataSource']>;
      readonly why: string;
    }
  | {
      readonly by: 'itself';
      readonly claims: Claims;
      readonly why: string;
      /** Whether it would be populated if there were room for a working claim. */
      readonly isForQuota: boolean;
    };
