import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { TransferError } from '../../../src/base/errors.ts';
import { MetadataClient } from '../../../src/snapshot-metadata/metadata-client.ts';
import {
  fail,
  message,
  type MetadataRequest,
  type MetadataServer,
  type MetadataStream,
  reply,
  serveMetadata,
} from '../../support/snapshot-metadata/metadata-server.ts';

const CAPACITY = 1000;
const snapshot = { namespace: 'team-a', name: 'disk-1' };

describe('MetadataClient', () => {
  let server: MetadataServer;
  let requests: MetadataRequest[];
  let answers: ((stream: MetadataStream) => void)[];
  let client: MetadataClient;
  let tokens: number;

  beforeEach(async () => {
    requests = [];
    answers = [];
    tokens = 0;
    server = await serveMetadata((stream) => {
      requests.push(stream.request);
      (answers.length > 1 ? answers.shift() : answers[0])?.(stream);
    });
    client = new MetadataClient(server, { token: async () => `token ${(tokens += 1)}`, retryAfter: 1 });
  });

  afterEach(() => {
    client.close();
    server.stop();
  });

  const allocated = (signal = AbortSignal.timeout(10_000)) => client.allocated(snapshot, CAPACITY, signal);
  const failure = async (signal?: AbortSignal): Promise<TransferError> =>
    allocated(signal).then(
      () => expect.fail('it did not fail'),
      (error: unknown) => error as TransferError,
    );

  it('does not tell the token, also where the service does', async () => {
    answers = [(stream) => fail(stream, status.UNAUTHENTICATED, `who is ${stream.request.security_token}?`)];
    const { message: told } = await failure();
    expect(told).to.include('who is (the token)?');
    expect(told).not.to.include('token 1');
  });

  it('asks with a token for what is allocated, and joins the messages', async () => {
    answers = [
      (stream) => {
        reply(stream, message(CAPACITY, [0, 10], [20, 10]), message(CAPACITY, [30, 10], [900, 100]));
      },
    ];
    expect(await allocated()).to.deep.equal([
      { offset: 0, length: 10 },
      { offset: 20, length: 20 },
      { offset: 900, length: 100 },
    ]);
    expect(requests).to.have.length(1);
    expect(requests[0]).to.include({
      security_token: 'token 1',
      namespace: 'team-a',
      snapshot_name: 'disk-1',
      starting_offset: 0,
    });
  });

  it('asks for what has changed since a handle', async () => {
    answers = [(stream) => reply(stream, message(CAPACITY, [20, 10]))];
    const delta = await client.delta('handle-0', snapshot, CAPACITY, AbortSignal.timeout(10_000));
    expect(delta).to.deep.equal([{ offset: 20, length: 10 }]);
    expect(requests[0]).to.include({ base_snapshot_id: 'handle-0', target_snapshot_name: 'disk-1' });
  });

  it('goes on, with a new token, where a stream was cut', async () => {
    answers = [
      (stream) => {
        stream.write(message(CAPACITY, [0, 10], [20, 30]));
        fail(stream, status.DEADLINE_EXCEEDED, 'too long');
      },
      (stream) => reply(stream, message(CAPACITY, [40, 20], [100, 10])),
    ];
    expect(await allocated()).to.deep.equal([
      { offset: 0, length: 10 },
      { offset: 20, length: 40 },
      { offset: 100, length: 10 },
    ]);
    expect(requests.map((request) => request.starting_offset)).to.deep.equal([0, 50]);
    expect(requests[1]?.security_token).to.equal('token 2');
  });

  it('gives up on a stream that is cut again and again', async () => {
    answers = [(stream) => fail(stream, status.UNAVAILABLE, 'not ready')];
    const { code, message: text } = await failure();
    expect(code).to.equal('ServerUnavailable');
    expect(text).to.include(`${server.address} answered UNAVAILABLE: not ready`);
    expect(requests).to.have.length(3);
  });

  it('does not ask again where it is refused', async () => {
    answers = [(stream) => fail(stream, status.PERMISSION_DENIED, 'no right')];
    expect((await failure()).code).to.equal('Forbidden');
    expect(requests).to.have.length(1);
  });

  const nonsense: Record<string, [answer: ReturnType<typeof message>, says: string]> = {
    'another capacity': [message(999, [0, 10]), '999'],
    'a range beyond the end': [message(CAPACITY, [990, 11]), 'beyond the end'],
    'overlapping ranges': [message(CAPACITY, [0, 10], [5, 10]), 'before the end'],
    'ranges out of order': [message(CAPACITY, [50, 10], [0, 10]), 'before the end'],
    'an empty range': [message(CAPACITY, [0, 0]), 'is none'],
    'a range before the start': [message(CAPACITY, [-10, 20]), 'is none'],
    'no kind of ranges': [{ ...message(CAPACITY, [0, 10]), block_metadata_type: 'UNKNOWN' }, 'of one length'],
  };
  for (const [what, [answer, says]] of Object.entries(nonsense)) {
    it(`refuses ${what}, and does not ask again`, async () => {
      answers = [(stream) => reply(stream, answer)];
      const { code, message: text } = await failure();
      expect(code).to.equal('ProtocolViolation');
      expect(text).to.include(says);
      expect(requests).to.have.length(1);
    });
  }

  it('ends a stream when it is told to', async () => {
    const ending = new AbortController();
    const ended = Promise.withResolvers<void>();
    answers = [
      (stream) => {
        stream.on('cancelled', () => ended.resolve());
        stream.write(message(CAPACITY, [0, 10]));
        ending.abort(new Error('enough'));
      },
    ];
    expect((await failure(ending.signal)).message).to.equal('enough');
    await ended.promise;
  });

  it('speaks to no other than who has the certificate', async () => {
    const other = await serveMetadata((stream) => stream.end());
    const misled = new MetadataClient(
      { address: other.address, certificates: server.certificates },
      { token: async () => 'token', retryAfter: 1 },
    );
    try {
      const caught = await misled.allocated(snapshot, CAPACITY, AbortSignal.timeout(10_000)).catch((e: unknown) => e);
      expect(caught).to.be.instanceOf(TransferError).with.property('code', 'ServerUnavailable');
    } finally {
      misled.close();
      other.stop();
    }
  });
});
