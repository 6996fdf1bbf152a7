import type { CloneType } from '../../api/clone.ts';
import type { AccessMode, VolumeMode } from '../../api/persistent-volume-claim-spec.ts';
import type { ClaimPropertySet } from '../../api/storage-profile.ts';

/** What a provisioner's volumes can be and do, as far as it is publicly known. */
export interface Capabilities {
  /** The best first; none where only something else is known. */
  readonly claims: readonly Claim[];
  readonly cloneStrategy?: CloneType;
  readonly dataImportCronSourceFormat?: 'snapshot' | 'pvc';
  /** A quantity: the smallest volume that it makes. */
  readonly minimumSupportedPvcSize?: string;
  /** Whether the images of a DataImportCron are better kept on ReadWriteOnce volumes. */
  readonly useReadWriteOnceForDataImportCron?: boolean;
  /** Parameters of the VolumeSnapshotClass that suits the images of a DataImportCron. */
  readonly dataImportCronSnapshotClassParameters?: Readonly<Record<string, string>>;
}

/** An access mode together with a volume mode. */
export type Claim = readonly [AccessMode, VolumeMode];

/** Whether a StorageClass's parameters, which select a variant of a provisioner, have a certain value. */
export type ParameterRule = (parameters: Readonly<Record<string, string>>) => boolean;

/** A provisioner's variants by the StorageClass's parameters: the first rule that holds decides. */
export interface Variants {
  readonly variants: readonly (readonly [ParameterRule, Capabilities])[];
  /** Where no rule holds; undefined: such parameters are not known. */
  readonly otherwise?: Capabilities;
}

/** A provisioner's capabilities as they appear in a StorageProfile. */
export function claimPropertySetsOf(claims: readonly Claim[]): ClaimPropertySet[] {
  return claims.map(([accessMode, volumeMode]) => ({ accessModes: [accessMode], volumeMode }));
}

/** The parameter has one of these values, in exactly this spelling; one that is not there is empty. */
export const is =
  (name: string, ...values: readonly string[]): ParameterRule =>
  (parameters) =>
    values.includes(parameters[name] ?? '');

/** The parameter contains all of these texts. */
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

/** The parameter in any case is this value, given in lower case. */
export const isInAnyCase =
  (name: string, value: string): ParameterRule =>
  (parameters) =>
    parameters[name]?.toLowerCase() === value;
