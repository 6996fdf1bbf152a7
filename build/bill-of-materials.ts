import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cyclonedxEsbuildPlugin } from '@cyclonedx/cyclonedx-esbuild';
import type { Plugin } from 'esbuild';

/** Beside the bundle: what is in it, in CycloneDX's JSON. */
export const BILL_OF_MATERIALS = 'sbom.cdx.json';

/** A licence as CycloneDX has it: by its identifier in SPDX's list, by a name, or an expression of several. */
export interface DeclaredLicence {
  readonly expression?: string;
  readonly license?: { readonly id?: string; readonly name?: string; readonly text?: { readonly content: string } };
}

/** A package of which something is in the bundle. */
export interface Component {
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  /** `excluded` where nothing of it was left in. */
  readonly scope?: 'required' | 'optional' | 'excluded';
  readonly licenses?: readonly DeclaredLicence[];
  /** Its licence and notice files, their texts in base64. */
  readonly evidence?: { readonly licenses?: readonly DeclaredLicence[] };
}

/** Writes the bill of materials; the texts of licences are part of it. */
export const billOfMaterials: Plugin = cyclonedxEsbuildPlugin({
  outputFile: BILL_OF_MATERIALS,
  gatherLicenseTexts: true,
  outputReproducible: true,
  validate: true,
  // What goes wrong is thrown; the rest is chatter.
  logLevel: 'silent',
});

/** The packages that a bill of materials says are in the bundle. */
export async function componentsIn(folder: string): Promise<Component[]> {
  const text = await readFile(join(folder, BILL_OF_MATERIALS), 'utf8');
  const { components } = JSON.parse(text) as { components: Component[] };
  return components.filter(({ scope }) => scope !== 'excluded');
}
