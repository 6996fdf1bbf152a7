import * as z from 'zod';
import { time } from './object-meta.ts';

export const conditionStatuses = ['True', 'False', 'Unknown'] as const;
export type ConditionStatus = (typeof conditionStatuses)[number];

/** Returns the schema of a list of conditions, with at most one of each of these types. */
export const conditionsOf = <const Types extends readonly [string, ...string[]]>(types: Types) =>
  z
    .array(
      z.strictObject({
        type: z.enum(types).describe('What the condition is about.'),
        status: z.enum(conditionStatuses).describe('True, False or Unknown.'),
        reason: z.string().optional().describe('Why, in one CamelCase word.'),
        message: z.string().optional().describe('Why, and what to do about it, for people.'),
        lastTransitionTime: time.optional().describe('When the status changed last.'),
        lastHeartbeatTime: time.optional().describe('When the condition was looked at last.'),
      }),
    )
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] });
