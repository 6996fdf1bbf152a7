import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, type Server, startServer } from './processes.ts';

export interface NginxOptions {
  /** An existing folder for the server's own files. */
  directory: string;
  /** The folder with the files that it serves. */
  root: string;
  /** More lines for the server block. */
  directives?: string;
  /** More lines for the http block. */
  http?: string;
  /** More words of the listen directive: `ssl`. */
  listen?: string;
}

/** A real web server on a port of its own. */
export async function startNginx({
  directory,
  root,
  directives = '',
  http = '',
  listen = '',
}: NginxOptions): Promise<Server> {
  const port = await freePort();
  const state = join(directory, `nginx-${port}`);
  await mkdir(state, { recursive: true });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const configuration = `
    ${user} daemon off; master_process off; worker_processes 1; pid ${state}/pid; error_log stderr error;
    events {}
    http {
      access_log ${state}/access.log;
      types { text/html html; application/octet-stream img; }
      ${temporary.map((name) => `${name}_temp_path ${state}/${name};`).join(' ')}
      ${http}
      server { listen 127.0.0.1:${port} ${listen}; root ${root}; ${directives} }
    }`;
  await writeFile(join(state, 'nginx.conf'), configuration);
  return startServer('nginx', ['-p', state, '-c', join(state, 'nginx.conf')], port);
}
