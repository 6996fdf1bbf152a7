import { parentPort, type MessagePort } from 'node:worker_threads';
import { PiecewiseDecoder } from '../native/piecewise-decoder.ts';
import { DecodingFailed } from '../native/stream-codec.ts';
import { streamCodecs } from '../native/stream-codecs.ts';
import type { FromDecoder, NewStream, ToDecoder } from './decoder-messages.ts';

parentPort?.on('message', ({ kind, port }: NewStream) => {
  const create = streamCodecs[kind];
  if (create === null) throw new Error(`there is no native library for ${kind} in this thread`);
  serve(new PiecewiseDecoder(create(), eventsFor(port)), port);
});

/** Memory goes back and forth with the messages, without being copied. */
function eventsFor(port: MessagePort): ConstructorParameters<typeof PiecewiseDecoder>[1] {
  const tell = (message: FromDecoder, memory?: Buffer): void => {
    port.postMessage(message, memory === undefined ? [] : [memory.buffer as ArrayBuffer]);
  };
  return {
    onConsumed: (input) => {
      tell({ consumed: input.buffer as ArrayBuffer }, input);
    },
    onZeros: (length) => {
      tell({ zeros: length });
    },
    onData: (bytes) => {
      tell({ data: bytes.buffer as ArrayBuffer, length: bytes.length }, bytes);
    },
    onEnd: () => {
      tell({ end: true });
    },
  };
}

function serve(decoder: PiecewiseDecoder, port: MessagePort): void {
  port.on('message', (message: ToDecoder) => {
    try {
      if ('input' in message) decoder.addInput(Buffer.from(message.input, 0, message.length));
      else if ('room' in message) decoder.addRoom(Buffer.from(message.room));
      else decoder.endInput();
    } catch (error) {
      const failure = error instanceof DecodingFailed ? error.failure : undefined;
      port.postMessage({ failure, message: String(error) } satisfies FromDecoder);
      port.close();
    }
  });
  port.on('close', () => {
    decoder.close();
  });
}
