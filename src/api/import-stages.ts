import type { Constraint } from './constraint.ts';
import type { DataVolumeSource } from './source-fields.ts';
import { importedSources } from './sources.ts';
import type { Checkpoint } from './transfer-options.ts';

/** The fields of a spec that say in which stages a disk is imported. */
export interface StagedSpec {
  readonly source?: DataVolumeSource | undefined;
  readonly checkpoints?: readonly Checkpoint[] | undefined;
  readonly finalCheckpoint?: boolean | undefined;
}

/** Fields that may be set later, for the next stages. */
export const STAGE_FIELDS: readonly string[] = ['checkpoints', 'finalCheckpoint'];

/** Returns whether a spec asks for a multi-stage import. */
export const hasStages = ({ checkpoints = [] }: StagedSpec): boolean => checkpoints.length > 0;

/** Returns the CEL expression for {@link hasStages}. */
export const hasStagesRule = (self: string): string => `has(${self}.checkpoints) && ${self}.checkpoints.size() > 0`;

const staged = importedSources.filter(({ hasCheckpoints }) => hasCheckpoints).map(({ name }) => name);

/** Names of the sources that can be imported in stages, for people. */
export const stagedSourceNames = staged.join(' or ');

/**
 * Returns the rules of a spec about the stages of its import.
 *
 * @param path of the source, for people
 */
export function stageRules(path: string): Constraint<StagedSpec>[] {
  return [
    {
      rule: `!(${hasStagesRule('self')}) || has(self.source) && (${staged.map((name) => `has(self.source.${name})`).join(' || ')})`,
      message: `checkpoints are the stages of an import from ${path}.${staged.join(` or ${path}.`)}; every other source is imported at once`,
      check: (spec) => !hasStages(spec) || staged.some((name) => spec.source?.[name] !== undefined),
    },
  ];
}

/** The rule of a spec by which an import with stages keeps some, and one without never gets any. */
export const stagesForGood: Constraint<unknown> = {
  rule: `(${hasStagesRule('self')}) == (${hasStagesRule('oldSelf')})`,
  message:
    'checkpoints cannot be added to an import without any, or be removed altogether: the stages have begun, or the whole disk is being imported; delete it and make another one',
};
