import type { Socket } from 'node:net';

/** Takes bytes, which are overwritten once it has returned. */
type TakeBytes = (bytes: Buffer) => void;

/**
 * What Node's sockets have for their option `onread`, which lets all reads use one buffer. Only sockets that connect by
 * themselves take the option.
 */
interface ReadingHandle {
  useUserBuffer?: (buffer: Uint8Array) => void;
}

/** Of a record of TLS, which Node passes on one by one (RFC 8446, section 5.1). */
const BUFFER_LENGTH = 16 * 1024;

/**
 * Reads a connection with one buffer from now on, in place of a new one for each 16 KiB: those take more processor
 * time, most of it for garbage collection, than decrypting does. Where this version of Node cannot do that, the
 * connection is read as usual. Ends and failures are events of the socket, as they always are.
 */
export function lendReads(socket: Socket, take: TakeBytes): void {
  const buffer = Buffer.allocUnsafeSlow(BUFFER_LENGTH);
  const callback = (length: number): boolean => {
    take(buffer.subarray(0, length));
    return true;
  };
  if (!useBuffer(socket, buffer, callback)) socket.on('data', take);
  socket.resume();
}

/** @returns false where this version of Node cannot do that */
function useBuffer(socket: Socket, buffer: Buffer, callback: (length: number) => boolean): boolean {
  const symbols = Object.getOwnPropertySymbols(socket);
  const [bufferSymbol, callbackSymbol] = ['kBuffer', 'kBufferCb'].map((name) =>
    symbols.find(({ description }) => description === name),
  );
  const handle = (socket as unknown as { _handle?: ReadingHandle | null })._handle;
  if (!bufferSymbol || !callbackSymbol || typeof handle?.useUserBuffer !== 'function') return false;
  // What has arrived with the last message is in the usual buffers.
  if (socket.readableLength > 0) return false;
  Object.assign(socket, { [bufferSymbol]: buffer, [callbackSymbol]: callback });
  handle.useUserBuffer(buffer);
  return true;
}
