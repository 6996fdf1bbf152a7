import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { CountedClaim } from './quota-room.ts';

interface Claims {
  readonly target: CountedClaim;
  readonly working?: CountedClaim;
}

/**
 * How a DataVolume's claim gets its data: from a populator, which fills a working claim and hands its volume over; from
 * the CSI driver, to which the claim names its source; or by being written directly.
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
      /** Whether a populator would be used if the quota had room for a working claim. */
      readonly isForQuota: boolean;
    };
