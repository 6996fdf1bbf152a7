import { Server, ServerCredentials, type ServerWritableStream, type status } from '@grpc/grpc-js';
import {
  type BlockMetadataResponse,
  snapshotMetadataService,
} from '../../../src/snapshot-metadata/service-definition.ts';
import { Authority } from '../../cluster/pki.ts';

/** A request of either method. */
export interface MetadataRequest {
  readonly security_token: string;
  readonly namespace: string;
  readonly snapshot_name?: string;
  readonly target_snapshot_name?: string;
  readonly base_snapshot_id?: string;
  readonly starting_offset: number;
}

export type MetadataStream = ServerWritableStream<MetadataRequest, BlockMetadataResponse>;

export interface MetadataServer {
  /** `host:port`. */
  readonly address: string;
  /** Of its authority, in PEM. */
  readonly certificates: string;
  stop(): void;
}

/**
 * A SnapshotMetadata service over TLS on a port of this machine.
 *
 * @param answer is called for every request of either method, and ends the stream
 */
export async function serveMetadata(answer: (stream: MetadataStream) => void): Promise<MetadataServer> {
  const authority = await Authority.create('snapshot metadata');
  const { certificate, key } = await authority.issue({ commonName: 'metadata', names: ['localhost'] });
  const server = new Server();
  server.addService(snapshotMetadataService, { GetMetadataAllocated: answer, GetMetadataDelta: answer });
  const tls = ServerCredentials.createSsl(null, [
    { private_key: Buffer.from(key), cert_chain: Buffer.from(certificate) },
  ]);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync('localhost:0', tls, (error, port) => (error ? reject(error) : resolve(port)));
  const port = await promise;
  return {
    address: `localhost:${port}`,
    certificates: authority.certificate,
    stop: () => server.forceShutdown(),
  };
}

/** A message that says that a volume of `capacity` bytes has these ranges, each of offset and length. */
export function message(
  capacity: number,
  ...ranges: readonly (readonly [offset: number, length: number])[]
): BlockMetadataResponse {
  return {
    block_metadata_type: 'VARIABLE_LENGTH',
    volume_capacity_bytes: capacity,
    block_metadata: ranges.map(([byte_offset, size_bytes]) => ({ byte_offset, size_bytes })),
  };
}

/** Answers with messages, and ends. */
export function reply(stream: MetadataStream, ...messages: readonly BlockMetadataResponse[]): void {
  for (const each of messages) stream.write(each);
  stream.end();
}

/** Ends a stream with a failure. */
export function fail(stream: MetadataStream, code: status, details: string): void {
  stream.emit('error', { code, details });
}
