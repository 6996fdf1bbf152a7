import { fallbackStrategy, strategyOf } from '../strategies/strategies.ts';
import type { CloneWork } from './phase.ts';

/** Returns an error message of the storage, with advice on what to do about it. */
export function withAdvice(complaint: string, { plan, target }: CloneWork): string {
  // CSI specification, "CreateVolume Errors": the storage has too little capacity.
  if (complaint.includes('ResourceExhausted')) return `${complaint}; it goes on when there is room`;
  if (!strategyOf(plan.cloneType).byStorage) return complaint;
  const profile = target.spec?.storageClassName ?? '';
  return `${complaint}; if it never can, set cloneStrategy: ${fallbackStrategy.cloneType} in StorageProfile "${profile}", and make the clone anew`;
}
