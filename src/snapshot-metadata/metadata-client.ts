import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type ClientReadableStream, credentials } from '@grpc/grpc-js';
import type { BlockRange } from '../base/block-range.ts';
import { TransferError } from '../base/errors.ts';
import { MOST_BLOCK_RANGES } from '../protocol/block-ranges.ts';
import { OrderedRanges } from './ordered-ranges.ts';
import type { ServiceAddress } from './service-address.ts';
import { type BlockMetadataResponse, snapshotMetadataService } from './service-definition.ts';
import { serviceFailure } from './service-failure.ts';
import type { NamedSnapshot, SnapshotMetadata } from './snapshot-metadata.ts';

/** How often a stream is begun again without anything new in between. */
const MOST_ATTEMPTS = 3;
const RETRY_MILLISECONDS = 500;
/** Ranges that a message may have: few kilobytes each, so that a slow reader holds little. */
const MOST_RESULTS = 1024;
/** Longest message in bytes that is accepted: of a server that sends as many ranges as it likes. */
const LONGEST_MESSAGE = 4 * 1024 * 1024;

export interface MetadataClientOptions {
  /** Returns a token of a ServiceAccount for the audience of the service. */
  readonly token: (signal: AbortSignal) => Promise<string>;
  /** The most ranges of an answer. */
  readonly mostRanges?: number;
  /** Milliseconds before a broken stream is continued, times the number of the attempt. */
  readonly retryAfter?: number;
}

/** Asks the SnapshotMetadata service of one CSI driver. It connects when it is asked, and has to be closed. */
export class MetadataClient implements SnapshotMetadata {
  readonly #address: string;
  readonly #options: MetadataClientOptions;
  readonly #client: Client;

  /** @throws TransferError InvalidRequest where the service cannot be reached by that address */
  constructor({ address, certificates }: ServiceAddress, options: MetadataClientOptions) {
    this.#address = address;
    this.#options = options;
    try {
      this.#client = new Client(address, credentials.createSsl(Buffer.from(certificates)), {
        'grpc.max_receive_message_length': LONGEST_MESSAGE,
        // The proxy of an importer, where there is one, is none of this.
        'grpc.enable_http_proxy': 0,
        'grpc.service_config_disable_resolution': 1,
      });
    } catch (error) {
      throw new TransferError(
        'InvalidRequest',
        `the SnapshotMetadata service at ${address} cannot be asked: see the address and the certificates in its SnapshotMetadataService: ${(error as Error).message}`,
        { cause: error },
      );
    }
  }

  allocated({ namespace, name }: NamedSnapshot, capacity: number, signal: AbortSignal): Promise<BlockRange[]> {
    return this.#collect('GetMetadataAllocated', { namespace, snapshot_name: name }, capacity, signal);
  }

  delta(
    baseSnapshotHandle: string,
    { namespace, name }: NamedSnapshot,
    capacity: number,
    signal: AbortSignal,
  ): Promise<BlockRange[]> {
    const request = { namespace, base_snapshot_id: baseSnapshotHandle, target_snapshot_name: name };
    return this.#collect('GetMetadataDelta', request, capacity, signal);
  }

  close(): void {
    this.#client.close();
  }

  async #collect(method: string, request: object, capacity: number, signal: AbortSignal): Promise<BlockRange[]> {
    const ranges = new OrderedRanges(capacity, this.#options.mostRanges ?? MOST_BLOCK_RANGES);
    for (let attempt = 1; ;) {
      const before = ranges.end;
      const security_token = await this.#options.token(signal);
      try {
        const asked = { security_token, ...request, starting_offset: before, max_results: MOST_RESULTS };
        await this.#read(method, asked, ranges, signal);
        return ranges.finish();
      } catch (error) {
        signal.throwIfAborted();
        const failure = serviceFailure(error, this.#address, security_token);
        // Where something new has come, it was cut after its longest duration, as is usual.
        attempt = ranges.end > before ? 1 : attempt + 1;
        if (failure.permanent || attempt > MOST_ATTEMPTS) throw failure;
        await sleep((attempt - 1) * (this.#options.retryAfter ?? RETRY_MILLISECONDS), undefined, { signal });
      }
    }
  }

  async #read(method: string, request: object, ranges: OrderedRanges, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const stream = this.#stream(method, request);
    const end = (): void => stream.cancel();
    signal.addEventListener('abort', end, { once: true });
    try {
      ranges.beginStream();
      for await (const message of stream) ranges.add(message as BlockMetadataResponse);
      signal.throwIfAborted();
    } finally {
      signal.removeEventListener('abort', end);
      stream.cancel();
    }
  }

  #stream(method: string, request: object): ClientReadableStream<BlockMetadataResponse> {
    const definition = snapshotMetadataService[method];
    if (!definition) throw new TypeError(`there is no method ${method}`);
    return this.#client.makeServerStreamRequest<object, BlockMetadataResponse>(
      definition.path,
      definition.requestSerialize,
      (bytes) => definition.responseDeserialize(bytes) as BlockMetadataResponse,
      request,
    );
  }
}
