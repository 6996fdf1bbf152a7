import { populationAnnotation as names } from '../../annotations.ts';
import type { Annotations, NeededObjects } from './declaration.ts';

/** Keys of a Secret with a user name and a password. */
export const LOGIN = ['accessKeyId', 'secretKey'];

/** Returns the annotations of a source with a URL. */
export const webAnnotations = (spec: {
  url?: string | undefined;
  secretRef?: string | undefined;
  certConfigMap?: string | undefined;
  insecureSkipVerify?: boolean | undefined;
}): Record<string, string | undefined> => ({
  [names.importEndpoint]: spec.url ?? '',
  [names.importSecretName]: spec.secretRef,
  [names.importCertConfigMap]: spec.certConfigMap,
  [names.importInsecureSkipVerify]: spec.insecureSkipVerify ? 'true' : undefined,
});

/** Returns the objects that a source with a URL needs. */
export const webObjects = (annotations: Annotations, ...keys: readonly string[][]): NeededObjects => ({
  credentials: { secretName: annotations[names.importSecretName], keys },
  certificates: annotations[names.importCertConfigMap],
});

export const urlOf = (annotations: Annotations): string => annotations[names.importEndpoint] ?? '';

/** Returns annotations `prefix.0`, `prefix.1`, … with the values in their order. */
export function numberedAnnotations(prefix: string, values: readonly string[] | undefined): Record<string, string> {
  return Object.fromEntries((values ?? []).map((value, index) => [`${prefix}.${index}`, value]));
}

/** Returns the values of annotations `prefix.0`, `prefix.1`, …, in the order of their numbers. */
export function numbered(annotations: Annotations, prefix: string): string[] {
  return Object.entries(annotations)
    .flatMap(([name, value]) => {
      const number = name.startsWith(`${prefix}.`) ? Number(name.slice(prefix.length + 1)) : NaN;
      return Number.isInteger(number) ? [{ number, value }] : [];
    })
    .sort((a, b) => a.number - b.number)
    .map(({ value }) => value);
}
