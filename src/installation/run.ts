import { env } from 'node:process';
import { createLogger } from '../base/logger.ts';
import { connect } from '../kube/connect.ts';
import { toError } from '../kube/errors.ts';
import { checkRemoval } from './check-removal.ts';
import { cleanUp } from './clean-up.ts';
import { configure } from './configure.ts';
import type { Step } from './step.ts';
import { testInstallation } from './test-installation.ts';

const TIME_MILLISECONDS = 240_000;

/** What a package manager has to have done around the manifests that it applies and deletes, by the second argument. */
const steps: Readonly<Record<string, Step>> = {
  configure,
  'check-removal': checkRemoval,
  'clean-up': cleanUp,
  test: testInstallation,
};

/**
 * Runs a step of an installation, or of its removal.
 *
 * Environment (with defaults): POD_NAMESPACE (namespace of the installation; cdi), LOG_LEVEL (info), LOG_FORMAT (text).
 *
 * @returns the exit code: 0 when it is done, 1 when something is in its way, which the log says, 2 for an unknown step
 */
export async function runInstallationStep(name = ''): Promise<number> {
  const logger = createLogger();
  const step = Object.hasOwn(steps, name) ? steps[name] : undefined;
  if (!step) {
    logger.error(`there is no step "${name}", but ${Object.keys(steps).join(', ')}`, { step: 'start' });
    return 2;
  }
  const { client } = connect(`diskpress-installation/${name}`);
  const signal = AbortSignal.timeout(TIME_MILLISECONDS);
  try {
    await step({ client, namespace: env['POD_NAMESPACE'] ?? 'cdi', logger, signal });
    logger.info('done', { step: name });
    return 0;
  } catch (error) {
    logger.error(toError(error).message, { step: name });
    return 1;
  } finally {
    await client.close();
  }
}
