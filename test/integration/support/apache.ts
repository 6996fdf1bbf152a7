import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, type Server, startServer } from './processes.ts';

const MODULES = '/usr/lib/apache2/modules';

export interface ApacheOptions {
  /** An existing folder for the server's own files. */
  directory: string;
  /** The folder with the files that it serves. */
  root: string;
  /** More lines of its configuration. */
  directives?: string;
}

/** Apache's web server on a port of its own. */
export async function startApache({ directory, root, directives = '' }: ApacheOptions): Promise<Server> {
  const port = await freePort();
  const state = join(directory, `apache-${port}`);
  await mkdir(state, { recursive: true });
  const modules = ['mpm_event', 'authz_core', 'alias', 'env', 'ratelimit', 'headers', 'rewrite'];
  const configuration = `
    ${modules.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join('\n')}
    ServerName 127.0.0.1
    Listen 127.0.0.1:${port}
    PidFile ${state}/pid
    DefaultRuntimeDir ${state}
    ErrorLog ${state}/error.log
    DocumentRoot ${root}
    ${process.getuid?.() === 0 ? 'User www-data' : ''}
    ${directives}`;
  await writeFile(join(state, 'apache.conf'), configuration);
  return startServer('apache2', ['-DFOREGROUND', '-d', state, '-f', join(state, 'apache.conf')], port);
}
