import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../cluster/commands.ts';
import { Authority } from '../../cluster/pki.ts';
import { Program } from '../../support/child-process.ts';
import { eventually } from '../../support/eventually.ts';
import { freePorts } from '../../support/ports.ts';

/** An nginx in front of the upload proxy, as an Ingress controller is. */
export interface FrontServer {
  /** `https://localhost:port`. */
  readonly url: string;
  /** A file with the certificate of its authority, PEM. */
  readonly authority: string;
  stop(): Promise<void>;
}

/**
 * Starts nginx with the settings that docs/uploads.md asks for.
 *
 * @param options.to the upload proxy, `host:port`
 * @param options.state an existing folder for its own files
 */
export async function startFrontServer({ to, state }: { to: string; state: string }): Promise<FrontServer> {
  const folder = join(state, 'front');
  await mkdir(folder, { recursive: true });
  const [port = 0] = await freePorts(1);
  const authority = await Authority.create('front');
  const { certificate, key } = await authority.issue({ commonName: 'localhost', names: ['localhost'] });
  const files = {
    'authority.crt': authority.certificate,
    'server.crt': certificate,
    'server.key': key,
    'nginx.conf': configuration(port, to),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
  const program = new Program('nginx', ['-p', folder, '-c', 'nginx.conf', '-e', 'error.log'], join(folder, 'log'));
  const url = `https://localhost:${port}`;
  const path = join(folder, 'authority.crt');
  await eventually('nginx passes requests on', () => run('curl', ['-sf', '--cacert', path, `${url}/healthz`]));
  return { url, authority: path, stop: () => program.end('SIGTERM') };
}

const configuration = (port: number, to: string) => `
daemon off;
worker_processes 1;
user root;
pid nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxied;
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate server.crt;
    ssl_certificate_key server.key;
    client_max_body_size 0;
    location / {
      proxy_pass https://${to};
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_read_timeout 600s;
    }
  }
}
`;
