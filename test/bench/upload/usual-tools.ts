import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../cluster/commands.ts';
import { Program } from '../../support/child-process.ts';
import { eventually } from '../../support/eventually.ts';
import { freePorts } from '../../support/ports.ts';

/**
 * Sends an image as one does without Diskpress: curl puts it into a folder of nginx, qemu-img converts it there, and
 * the disk is synced.
 *
 * @returns the seconds that all of it takes
 */
export async function secondsOfUsualTools(image: string): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'diskpress-bench-'));
  const [port = 0] = await freePorts(1);
  await mkdir(join(folder, 'images'));
  await writeFile(join(folder, 'nginx.conf'), configuration(port));
  const nginx = new Program('nginx', ['-p', folder, '-c', 'nginx.conf', '-e', 'error.log'], join(folder, 'log'));
  const url = `http://127.0.0.1:${port}`;
  try {
    await eventually('nginx answers', () => run('curl', ['--silent', `${url}/`]));
    const began = performance.now();
    await run('curl', ['--silent', '--fail', '--upload-file', image, `${url}/image`]);
    const disk = join(folder, 'disk.img');
    await run('qemu-img', ['convert', '-W', '-O', 'raw', join(folder, 'images', 'image'), disk]);
    await run('sync', [disk]);
    return (performance.now() - began) / 1000;
  } finally {
    await nginx.end('SIGTERM');
    await rm(folder, { recursive: true, force: true });
  }
}

const configuration = (port: number) => `
daemon off;
worker_processes 1;
user root;
pid nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path body;
  client_max_body_size 0;
  server {
    listen 127.0.0.1:${port};
    root images;
    dav_methods PUT;
  }
}
`;
