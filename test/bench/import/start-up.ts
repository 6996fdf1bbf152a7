import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { text } from 'node:stream/consumers';
import { IMPORT_REQUEST_VARIABLE, type ImportRequest } from '../../../src/protocol/transfer-pod.ts';
import { CommandFailed } from '../../cluster/commands.ts';
import { repository } from '../../cluster/folders.ts';
import { dropCaches, type Volume } from './volume.ts';

/** What the importer may take until its first request, in seconds. */
export const START_UP_AIM = 0.5;

/** Seconds from the start of an importer's process until the first byte of its first request is with the server. */
export interface StartUp {
  cold: number[];
  /** With what it loads in the page cache. */
  warm: number[];
}

/** Starts the importer as its pod does, for which the port that it tells its progress at has to be free. */
export async function measureStartUp(volume: Volume, runs: number): Promise<StartUp> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const startUp: StartUp = { cold: [], warm: [] };
  for (let round = 0; round < runs; round += 1) {
    await dropCaches(volume);
    startUp.cold.push(await startOnce(server));
    startUp.warm.push(await startOnce(server));
  }
  server.close();
  return startUp;
}

async function startOnce(server: Server): Promise<number> {
  const { port } = server.address() as AddressInfo;
  const request: ImportRequest = {
    source: { type: 'http', url: `http://127.0.0.1:${port}/disk.img`, extraHeaders: [], insecureSkipVerify: false },
    target: {
      volumeMode: 'Filesystem',
      capacity: 2 ** 30,
      filesystemOverhead: 0,
      preallocation: false,
      contentType: 'kubevirt',
    },
    dependencies: [],
    scratch: false,
    followsInternalRedirects: false,
  };
  const args = [join(repository, 'dist/main.js'), 'importer'];
  const env = { ...process.env, NODE_ENV: 'production', [IMPORT_REQUEST_VARIABLE]: JSON.stringify(request) };
  const started = performance.now();
  const importer = spawn(execPath, args, { stdio: ['ignore', 'ignore', 'pipe'], env });
  const output = text(importer.stderr);
  const ended = once(importer, 'exit');
  const early = ended.then(async ([status]): Promise<never> => {
    throw new CommandFailed(args.join(' '), status as number | null, await output);
  });
  early.catch(() => undefined);
  const socket = await Promise.race([requested(server), early]);
  const seconds = (performance.now() - started) / 1000;
  importer.kill('SIGKILL');
  await ended;
  socket.destroy();
  return seconds;
}

async function requested(server: Server): Promise<Socket> {
  const [socket] = (await once(server, 'connection')) as [Socket];
  await once(socket, 'data');
  return socket;
}
