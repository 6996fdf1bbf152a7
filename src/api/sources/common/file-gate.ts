import type { ImportSettings, Refusal } from './declaration.ts';

/** Why no file of the importer's own container can be imported; undefined where an administrator lets it be. */
export function refusalOfFiles(settings: ImportSettings): Refusal | undefined {
  if (settings.hasFeatureGate('FileSource')) return undefined;
  return {
    refusal:
      "Importing a file of the importer's own container is turned off; an administrator can turn it on with the feature gate FileSource",
  };
}
