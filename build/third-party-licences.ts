import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import { type Component, componentsIn, type DeclaredLicence } from './bill-of-materials.ts';

/** Beside the bundle: the notices that the licences of what is in it ask for. */
export const THIRD_PARTY_LICENSES = 'THIRD_PARTY_LICENSES';

const LINE = '='.repeat(100);

/** Writes the licences of the packages in the bill of materials, which has to be there, and the product's own. */
export const thirdPartyLicences: Plugin = {
  name: 'third-party-licences',
  setup(bundler) {
    const { outdir = '' } = bundler.initialOptions;
    bundler.onEnd(async ({ errors }) => {
      if (errors.length > 0) return;
      await writeFile(join(outdir, THIRD_PARTY_LICENSES), licencesOf(await componentsIn(outdir)));
      await cp('LICENSE', join(outdir, 'LICENSE'));
    });
  },
};

/**
 * The licences and notices of packages as one text.
 *
 * @throws Error where a package does not say its licence
 */
export function licencesOf(components: readonly Component[]): string {
  const parts = components.map((component) => {
    const name = [component.group, component.name].filter(Boolean).join('/');
    const title = `${name} ${component.version}`;
    const declared = (component.licenses ?? []).map(nameOf).join(', ');
    if (!declared) {
      throw new Error(`the package ${title} does not say its licence: find out, or do without it`);
    }
    const texts = (component.evidence?.licenses ?? []).map(textOf).filter(Boolean);
    const body = texts.length > 0 ? texts : ['The package has no file with the text of its licence.'];
    return `${LINE}\n${title} (${declared})\n${LINE}\n\n${body.join('\n\n')}\n`;
  });
  return `Diskpress contains these packages, each under its own licence.\n\n${parts.join('\n')}`;
}

function nameOf({ expression, license }: DeclaredLicence): string {
  return expression ?? license?.id ?? license?.name ?? '';
}

function textOf({ license }: DeclaredLicence): string {
  return Buffer.from(license?.text?.content ?? '', 'base64')
    .toString()
    .trim();
}
