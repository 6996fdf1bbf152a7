import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { NbdClient } from '../../../../src/source/nbd/client.ts';
import {
  Chunk,
  Command,
  Information,
  LAST_CHUNK,
  Option,
  OPTION_MAGIC,
  OPTION_REPLY_MAGIC,
  OptionReply,
  SERVER_MAGIC,
  STRUCTURED_REPLY_MAGIC,
} from '../../../../src/source/nbd/constants.ts';

const LENGTH = 256 * 1024;

describe('a client of the NBD protocol', () => {
  let directory: string;
  let server: Server;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-nbd-'));
  });

  afterEach(async () => {
    server.close();
    await rm(directory, { recursive: true });
  });

  async function listen(serve: (socket: Socket) => Promise<void>): Promise<string> {
    const socket = join(directory, 'socket');
    server = createServer((connection) => void serve(connection)).listen(socket);
    await once(server, 'listening');
    return socket;
  }

  it('leaves the buffer of a read alone once that has failed, though the server still answers it', async () => {
    const half = Promise.withResolvers<void>();
    const path = await listen(async (socket) => {
      const next = await open(socket);
      const [cookie] = await request(next);
      socket.write(Buffer.concat([dataHead(cookie, LENGTH), Buffer.alloc(LENGTH / 2, 1)]));
      half.resolve();
      expect((await request(next))[1]).to.equal(Command.disconnect);
      socket.end(Buffer.alloc(LENGTH / 2, 1));
    });
    const client = await NbdClient.open({ socket: path, silence: 5_000 });
    const into = Buffer.alloc(LENGTH);
    const read = client.read(0, into).then(
      () => Buffer.alloc(LENGTH, 1),
      () => Buffer.from(into),
    );
    await half.promise;
    while (into[0] === 0) await new Promise(setImmediate);
    await client.close();
    const expected = await read;
    expect(into.equals(expected)).to.equal(true);
    const late = await client.read(0, into).catch((error: unknown) => error);
    expect(late).to.be.an('error');
  });

  it('fails what is asked when the server ends the connection', async () => {
    const path = await listen(async (socket) => {
      await request(await open(socket));
      socket.end();
    });
    const client = await NbdClient.open({ socket: path, silence: 5_000 });
    const failure = await client.read(0, Buffer.alloc(LENGTH)).catch((error: unknown) => error);
    expect(failure).to.be.an('error').with.property('name', 'NbdDisconnected');
    await client.close();
  });
});

type Next = (length: number) => Promise<Buffer>;

/** Shakes hands with a client, and returns what reads its requests. */
async function open(socket: Socket): Promise<Next> {
  const next: Next = async (length) => {
    for (;;) {
      if (length === 0) return Buffer.alloc(0);
      const bytes = socket.read(length) as Buffer | null;
      if (bytes !== null) return bytes;
      await once(socket, 'readable');
    }
  };
  socket.write(Buffer.concat([uint64(SERVER_MAGIC), uint64(OPTION_MAGIC), uint16(3)]));
  await next(4);
  for (;;) {
    const head = await next(16);
    const option = head.readUInt32BE(8);
    await next(head.readUInt32BE(12));
    if (option === Option.go) {
      socket.write(reply(option, OptionReply.info, [uint16(Information.export), uint64(BigInt(LENGTH)), uint16(0)]));
    }
    socket.write(reply(option, OptionReply.acknowledge, []));
    if (option === Option.go) return next;
  }
}

async function request(next: Next): Promise<[cookie: bigint, command: number]> {
  const bytes = await next(28);
  return [bytes.readBigUInt64BE(8), bytes.readUInt16BE(6)];
}

function reply(option: number, type: number, content: Buffer[]): Buffer {
  const data = Buffer.concat(content);
  return Buffer.concat([uint64(OPTION_REPLY_MAGIC), uint32(option), uint32(type), uint32(data.length), data]);
}

function dataHead(cookie: bigint, length: number): Buffer {
  const kind = [uint32(STRUCTURED_REPLY_MAGIC), uint16(LAST_CHUNK), uint16(Chunk.data)];
  return Buffer.concat([...kind, uint64(cookie), uint32(8 + length), uint64(0n)]);
}

function uint16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16BE(value);
  return buffer;
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

function uint64(value: bigint): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64BE(value);
  return buffer;
}
