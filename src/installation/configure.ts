import { readFile } from 'node:fs/promises';
import { env } from 'node:process';
import { cdis, cdiSpec } from '../api/cdi.ts';
import { NotYet, persistently, type Step } from './step.ts';

const FIELD_MANAGER = 'diskpress-installation';
const CDI_NAME = 'cdi';
const SPEC_FILE = '/etc/diskpress/cdi-spec.json';

/**
 * Sets the fields of the CDI object that the file $CDI_SPEC_FILE has in JSON; those that an earlier file had, and this
 * one has not, are removed. The controllers make the object, with their defaults.
 *
 * @throws Error where the file has something else in it, or the object is refused
 */
export const configure: Step = async (context) => {
  const { client, signal, logger } = context;
  const spec = cdiSpec.parse(JSON.parse(await readFile(env['CDI_SPEC_FILE'] ?? SPEC_FILE, 'utf8')));
  await persistently(context, async () => {
    if (await client.get(cdis, { namespace: '', name: CDI_NAME }, { signal })) return;
    throw new NotYet(`the controllers have not made the CDI object "${CDI_NAME}" yet: look at their log`);
  });
  await persistently(context, () =>
    client.apply(cdis, { metadata: { name: CDI_NAME }, spec }, { fieldManager: FIELD_MANAGER, signal }),
  );
  logger.info(`the CDI object "${CDI_NAME}" has the settings`, { step: 'configure', fields: Object.keys(spec) });
};
