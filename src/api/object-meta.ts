import type { V1ObjectMeta } from '@kubernetes/client-node';
import * as z from 'zod';

/** Metadata as JSON carries it: timestamps are RFC 3339 strings. */
export type ObjectMeta = Omit<V1ObjectMeta, 'creationTimestamp' | 'deletionTimestamp' | 'managedFields'> & {
  creationTimestamp?: string;
  deletionTimestamp?: string;
};

/** Metadata of an object. It is not described here, because the API server knows and validates it. */
export const objectMeta = z.custom<ObjectMeta>((value) => typeof value === 'object' && value !== null);

/** A time in RFC 3339. */
export const time = z.string().meta({ format: 'date-time' });
