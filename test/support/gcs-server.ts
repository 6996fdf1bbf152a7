import { openAsBlob } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fakeGcsServerBinary } from '../cluster/parts.ts';
import { Program } from './child-process.ts';
import { freePorts } from './ports.ts';
import { listening } from './web-server.ts';

/** A server that has the API of Google Cloud Storage, and gives everything to everybody. */
export interface GcsServer {
  /** `http://address:port`; an object is at `/bucket/object`. */
  readonly url: string;
  readonly port: number;
  /** Puts a file into a bucket, which is made. */
  put(bucket: string, object: string, file: string): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts fake-gcs-server.
 *
 * @param options.state an existing folder for its own files
 * @param options.publicHost `host:port` by which it is called, where that is not its own
 */
export async function startGcsServer(options: {
  address: string;
  state: string;
  publicHost?: string;
}): Promise<GcsServer> {
  const { address } = options;
  const [port = 0] = await freePorts(1);
  const host = `${address}:${port}`;
  const folder = join(options.state, `gcs-${port}`);
  await mkdir(folder, { recursive: true });
  const program = new Program(
    await fakeGcsServerBinary(),
    [
      '-scheme=http',
      `-host=${address}`,
      `-port=${port}`,
      `-public-host=${options.publicHost ?? host}`,
      '-backend=memory',
      '-log-level=warn',
    ],
    join(folder, 'fake-gcs-server.log'),
  );
  await listening(address, port, () => program.running);
  const url = `http://${host}`;
  const buckets = new Set<string>();
  const post = async (path: string, body: string | Blob): Promise<void> => {
    const answer = await fetch(`${url}${path}`, { method: 'POST', body });
    if (!answer.ok) throw new Error(`${path} was answered with ${answer.status}: ${await answer.text()}`);
  };
  return {
    url,
    port,
    put: async (bucket, object, file) => {
      if (!buckets.has(bucket)) await post('/storage/v1/b?project=test', JSON.stringify({ name: bucket }));
      buckets.add(bucket);
      const name = encodeURIComponent(object);
      await post(`/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${name}`, await openAsBlob(file));
    },
    stop: () => program.end('SIGTERM'),
  };
}
