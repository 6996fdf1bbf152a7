import { type MessagePort, parentPort } from 'node:worker_threads';
import { unmapExecutable } from '../../base/native/executable-pages.ts';
import { type DecoderEvents, PiecewiseDecoder } from '../native/piecewise-decoder.ts';
import { DecodingFailed } from '../native/stream-codec.ts';
import { createDecoder } from '../native/stream-codecs.ts';
import { type BlockCodec, decodeBlock } from './block-codecs.ts';
import type { BlockBatch, DecodedBatch, FromStream, NewBlocks, NewStream, ToStream } from './decoder-messages.ts';

// To start a thread takes much of the executable, to decompress little.
unmapExecutable();

parentPort?.on('message', (work: NewStream | NewBlocks) => {
  if ('codec' in work) decodeBatches(work.codec, work.port);
  else decodeStream(work);
});

function decodeBatches(codec: BlockCodec, port: MessagePort): void {
  port.on('message', ({ input, lengths, room, places, blockSize }: BlockBatch) => {
    let at = 0;
    const decoded = lengths.map((length, index) => {
      const compressed = Buffer.from(input, at, length);
      at += length;
      return decodeBlock(codec, compressed, Buffer.from(room, places[index], blockSize));
    });
    port.postMessage({ input, room, decoded } satisfies DecodedBatch, [input, room]);
  });
}

function decodeStream({ stream, port }: NewStream): void {
  let decoder: PiecewiseDecoder | undefined;
  port.on('message', (message: ToStream) => {
    try {
      decoder ??= new PiecewiseDecoder(createDecoder(stream), eventsFor(port));
      if ('input' in message) decoder.addInput(Buffer.from(message.input, 0, message.length));
      else if ('room' in message) decoder.addRoom(Buffer.from(message.room));
      else decoder.endInput();
    } catch (error) {
      const { failure, window } = error instanceof DecodingFailed ? error : {};
      port.postMessage({ failure, window, message: String(error) } satisfies FromStream);
      port.close();
    }
  });
  port.on('close', () => {
    decoder?.close();
  });
}

/** Sends events as messages, with memory transferred and not copied. */
function eventsFor(port: MessagePort): DecoderEvents {
  const tell = (message: FromStream, ...memory: ArrayBuffer[]): void => {
    port.postMessage(message, memory);
  };
  return {
    onConsumed: (input) => {
      const consumed = memoryOf(input);
      tell({ consumed }, consumed);
    },
    onUnneeded: (room) => {
      const unneeded = memoryOf(room);
      tell({ unneeded }, unneeded);
    },
    onZeros: (length) => {
      tell({ zeros: length });
    },
    onData: (bytes) => {
      const data = memoryOf(bytes);
      tell({ data, length: bytes.length }, data);
    },
    onEnd: ({ taken, sizes, ...unused }) => {
      const inputs = unused.inputs.map(memoryOf);
      const rooms = unused.rooms.map(memoryOf);
      tell({ taken, inputs, rooms, sizes }, ...inputs, ...rooms);
    },
  };
}

function memoryOf({ buffer }: Buffer): ArrayBuffer {
  return buffer as ArrayBuffer;
}
