import * as z from 'zod';

/**
 * Pattern of what resource.Quantity accepts:
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity
 */
export const QUANTITY_PATTERN = /^[+-]?([0-9]+|[0-9]+[.][0-9]*|[.][0-9]+)([KMGTPE]i|[numkMGTPE]?|[eE][+-]?[0-9]+)$/;

/** A resource quantity such as 10Gi; a plain number of bytes may be given as a number. */
export const quantity = z
  .union([z.int(), z.string().max(64).regex(QUANTITY_PATTERN)])
  .meta({ 'x-kubernetes-int-or-string': true });
export type Quantity = z.infer<typeof quantity>;

const multipliers: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

export const isQuantity = (value: string | number): boolean => QUANTITY_PATTERN.test(String(value));

/**
 * Returns the quantity as a whole number, rounded up.
 *
 * @throws RangeError if it is not a quantity
 */
export function parseQuantity(value: Quantity): number {
  const [, number = '', suffix = ''] = QUANTITY_PATTERN.exec(String(value)) ?? [];
  if (number === '') throw new RangeError(`not a quantity: ${JSON.stringify(value)} (expected one like 10Gi)`);
  const sign = String(value).startsWith('-') ? -1 : 1;
  const multiplier = multipliers[suffix] ?? 10 ** Number(suffix.slice(1));
  return Math.ceil(sign * Number(number) * multiplier);
}
