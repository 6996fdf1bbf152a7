import * as z from 'zod';
import { namespaceReference, objectName } from '../../references.ts';

/** Returns the schema of a reference to a claim or a snapshot by namespace and name. */
export const objectInNamespace = (what: string) =>
  z.strictObject({
    namespace: namespaceReference.describe(
      `Namespace of the ${what}, the own one where it is empty; the user needs the right to clone from it.`,
    ),
    name: objectName.describe(`Name of the ${what}.`),
  });
