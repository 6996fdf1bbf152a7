import { homedir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import type { GivenSource } from './given-source.ts';
import { readGivenIfThere } from './read-given.ts';

/** A container image in a registry, with the credentials that `docker login` has stored. */
export const registry: GivenSource = {
  shown: 'docker://…',
  matches: (given) => given.startsWith('docker://'),
  async open(url, settings, progress) {
    const { RegistrySource } = await import('../../source/kinds/registry-source.ts');
    const folder = env['DOCKER_CONFIG'] ?? join(homedir(), '.docker');
    const dockerConfig = await readGivenIfThere(join(folder, 'config.json'));
    const insecureRegistry = settings.insecureSkipVerify;
    return new RegistrySource({ ...settings, url, insecureRegistry, dockerConfig }, progress);
  },
};
