import type { CloneType } from '../../api/clone.ts';
import type { AccessMode, VolumeMode } from '../../api/persistent-volume-claim-spec.ts';
import type { ClaimPropertySet } from '../../api/storage-profile.ts';

/** The publicly known capabilities of a provisioner's volumes. */
export interface Capabilities {
  /** Supported combinations, the best one first; empty where only other capabilities are known. */
  readonly claims: readonly Claim[];
  readonly cloneStrategy?: CloneType;
  readonly dataImportCronSourceFormat?: 'snapshot' | 'pvc';
  /** Smallest volume of the provisioner, as a quantity. */
  readonly minimumSupportedPvcSize?: string;
  /** Whether ReadWriteOnce volumes are preferable for the images of a DataImportCron. */
  readonly useReadWriteOnceForDataImportCron?: boolean;
  /** Parameters of the VolumeSnapshotClass to use for the images of a DataImportCron. */
  readonly dataImportCronSnapshotClassParameters?: Readonly<Record<string, string>>;
}

/** An access mode together with a volume mode. */
export type Claim = readonly [AccessMode, VolumeMode];

/** A condition on the parameters of a StorageClass, which select a variant of a provisioner. */
export type ParameterRule = (parameters: Readonly<Record<string, string>>) => boolean;

/** A provisioner's variants by the StorageClass's parameters: the first matching rule decides. */
export interface Variants {
  readonly variants: readonly (readonly [ParameterRule, Capabilities])[];
  /** Capabilities where no rule matches; undefined where such parameters are not known. */
  readonly otherwise?: Capabilities;
}

/** Converts a provisioner's capabilities to their form in a StorageProfile. */
export function claimPropertySetsOf(claims: readonly Claim[]): ClaimPropertySet[] {
  return claims.map(([accessMode, volumeMode]) => ({ accessModes: [accessMode], volumeMode }));
}

/** Matches a parameter with exactly one of these values; a missing parameter is empty. */
export const is =
  (name: string, ...values: readonly string[]): ParameterRule =>
  (parameters) =>
    values.includes(parameters[name] ?? '');

/** Matches a parameter that contains all of these texts. */
export const contains =
  (name: string, ...texts: readonly string[]): ParameterRule =>
  (parameters) =>
    texts.every((text) => parameters[name]?.includes(text));

export const startsWith =
  (name: string, prefix: string): ParameterRule =>
  (parameters) =>
    parameters[name]?.startsWith(prefix) ?? false;

export const isPresent =
  (name: string): ParameterRule =>
  (parameters) =>
    parameters[name] !== undefined;

export const isNotEmpty =
  (name: string): ParameterRule =>
  (parameters) =>
    Boolean(parameters[name]);

export const not =
  (rule: ParameterRule): ParameterRule =>
  (parameters) =>
    !rule(parameters);

export const both =
  (...rules: readonly ParameterRule[]): ParameterRule =>
  (parameters) =>
    rules.every((rule) => rule(parameters));

/** Matches a parameter that equals this lower-case value, regardless of the parameter's case. */
export const isInAnyCase =
  (name: string, value: string): ParameterRule =>
  (parameters) =>
    parameters[name]?.toLowerCase() === value;
