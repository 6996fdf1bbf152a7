import type { ImportSettings, Refusal } from './declaration.ts';

/**
 * Returns why a file of the importer's own container cannot be imported; undefined where an administrator has allowed
 * it.
 */
export function refusalOfFiles(settings: ImportSettings): Refusal | undefined {
  if (settings.hasFeatureGate('FileSource')) return undefined;
  return {
    refusal:
      "Importing a file of the importer's own container is turned off; an administrator can turn it on with the feature gate FileSource",
  };
}
