import { parentPort, type MessagePort } from 'node:worker_threads';
import { PiecewiseDecoder, type DecoderEvents } from '../native/piecewise-decoder.ts';
import { DecodingFailed } from '../native/stream-codec.ts';
import { streamCodecs } from '../native/stream-codecs.ts';
import { decodeBlock, type BlockCodec } from './block-codecs.ts';
import type { BlockBatch, DecodedBatch, FromStream, NewBlocks, NewStream, ToStream } from './decoder-messages.ts';

parentPort?.on('message', (work: NewStream | NewBlocks) => {
  if ('codec' in work) decodeBatches(work.codec, work.port);
  else decodeStream(work);
});

function decodeBatches(codec: BlockCodec, port: MessagePort): void {
  port.on('message', ({ input, lengths, room, blockSize }: BlockBatch) => {
    let at = 0;
    const decoded = lengths.map((length, index) => {
      const compressed = Buffer.from(input, at, length);
      at += length;
      return decodeBlock(codec, compressed, Buffer.from(room, index * blockSize, blockSize));
    });
    port.postMessage({ input, room, decoded } satisfies DecodedBatch, [input, room]);
  });
}

function decodeStream({ kind, port }: NewStream): void {
  const create = streamCodecs[kind];
  if (create === null) throw new Error(`there is no native library for ${kind} in this thread`);
  const decoder = new PiecewiseDecoder(create(), eventsFor(port));
  port.on('message', (message: ToStream) => {
    try {
      if ('input' in message) decoder.addInput(Buffer.from(message.input, 0, message.length));
      else if ('room' in message) decoder.addRoom(Buffer.from(message.room));
      else decoder.endInput();
    } catch (error) {
      const failure = error instanceof DecodingFailed ? error.failure : undefined;
      port.postMessage({ failure, message: String(error) } satisfies FromStream);
      port.close();
    }
  });
  port.on('close', () => {
    decoder.close();
  });
}

/** Memory goes back and forth with the messages, without being copied. */
function eventsFor(port: MessagePort): DecoderEvents {
  const tell = (message: FromStream, memory?: ArrayBuffer): void => {
    port.postMessage(message, memory === undefined ? [] : [memory]);
  };
  return {
    onConsumed: ({ buffer }) => {
      const consumed = buffer as ArrayBuffer;
      tell({ consumed }, consumed);
    },
    onZeros: (length) => {
      tell({ zeros: length });
    },
    onData: ({ buffer, length }) => {
      const data = buffer as ArrayBuffer;
      tell({ data, length }, data);
    },
    onEnd: () => {
      tell({ end: true });
    },
  };
}
