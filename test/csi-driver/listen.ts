import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { type Server, ServerCredentials } from '@grpc/grpc-js';

/** Serves on a Unix socket, in the place of one that an earlier process has left. */
export async function listen(server: Server, socketPath: string): Promise<void> {
  await mkdir(dirname(socketPath), { recursive: true });
  await rm(socketPath, { force: true });
  const bind = promisify(server.bindAsync.bind(server));
  await bind(`unix://${socketPath}`, ServerCredentials.createInsecure());
}
