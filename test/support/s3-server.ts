import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AwsClient } from 'aws4fetch';
import { versitygwBinary } from '../cluster/parts.ts';
import { Program } from './child-process.ts';
import { freePorts } from './ports.ts';
import { listening } from './web-server.ts';

/** Whom an {@link S3Server} gives its objects to. */
export const s3Credentials = { accessKeyId: 'reader', secretKey: 'wonder/land+' } as const;
const REGION = 'test-east-7';

/** A server that speaks S3's protocol. */
export interface S3Server {
  /** `http(s)://address:port`; an object is at `/bucket/key`. */
  readonly url: string;
  readonly port: number;
  readonly region: string;
  /** Puts a file into a bucket, which is made. */
  put(bucket: string, key: string, file: string): Promise<void>;
  /** Lets everybody read what is in a bucket. */
  publish(bucket: string): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts versitygw.
 *
 * @param options.state an existing folder for its own files
 * @param options.tls PEM files
 * @param options.domain of which each bucket is a subdomain too
 */
export async function startS3Server(options: {
  address: string;
  state: string;
  tls?: { certificate: string; key: string };
  domain?: string;
}): Promise<S3Server> {
  const { address, tls, domain } = options;
  const [port = 0] = await freePorts(1);
  const folder = join(options.state, `s3-${port}`);
  const buckets = join(folder, 'buckets');
  await mkdir(buckets, { recursive: true });
  const program = new Program(
    await versitygwBinary(),
    [
      `--port=${address}:${port}`,
      `--access=${s3Credentials.accessKeyId}`,
      `--secret=${s3Credentials.secretKey}`,
      `--region=${REGION}`,
      '--quiet',
      ...(tls ? [`--cert=${tls.certificate}`, `--key=${tls.key}`] : []),
      ...(domain === undefined ? [] : [`--virtual-domain=${domain}`]),
      'posix',
      buckets,
    ],
    join(folder, 'versitygw.log'),
  );
  await listening(address, port, () => program.running);
  const url = `${tls ? 'https' : 'http'}://${address}:${port}`;
  const administrator = new AwsClient({
    accessKeyId: s3Credentials.accessKeyId,
    secretAccessKey: s3Credentials.secretKey,
    service: 's3',
    region: REGION,
  });
  return {
    url,
    port,
    region: REGION,
    put: async (bucket, key, file) => {
      const path = join(buckets, bucket, key);
      await mkdir(join(path, '..'), { recursive: true });
      await copyFile(file, path);
    },
    publish: async (bucket) => {
      const Resource = [`arn:aws:s3:::${bucket}/*`, `arn:aws:s3:::${bucket}`];
      const policy = {
        Statement: [{ Effect: 'Allow', Principal: '*', Action: ['s3:GetObject'], Resource: Resource[0] }],
      };
      const answer = await administrator.fetch(`${url}/${bucket}?policy`, {
        method: 'PUT',
        body: JSON.stringify(policy),
      });
      if (!answer.ok) throw new Error(`the policy of ${bucket} was refused: ${await answer.text()}`);
    },
    stop: () => program.end('SIGTERM'),
  };
}
