import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls';

/** An upload server, by the Service in front of it. */
export interface UploadServerAddress {
  readonly host: string;
  readonly port: number;
  /** The name in its certificate. */
  readonly serverName: string;
}

/**
 * Milliseconds until a connection attempt without any answer is abandoned. An attempt that was made before the node
 * knew the pod of the Service stays lost, however often the kernel retransmits.
 */
const CONNECT_TIMEOUT_MILLISECONDS = 2_000;
/** Milliseconds for the handshake, which a machine that is busy with other uploads may need. */
const HANDSHAKE_TIMEOUT_MILLISECONDS = 15_000;
/** Milliseconds of silence until the kernel asks whether the other end is there; it gives up after ten more seconds. */
const KEEP_ALIVE_MILLISECONDS = 3_000;

/**
 * Connects to an upload server over mutual TLS.
 *
 * @throws Error of the connection or of the certificates; the signal's reason
 */
export async function connectToServer(
  { host, port, serverName }: UploadServerAddress,
  secureContext: SecureContext,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const socket = await connectWithin({ host, port }, signal);
  const secured = connectTls({ socket, servername: serverName, secureContext });
  try {
    await within(HANDSHAKE_TIMEOUT_MILLISECONDS, once(secured, 'secureConnect', { signal }), 'it does not answer');
    return secured;
  } catch (error) {
    secured.on('error', () => undefined).destroy();
    throw signal.aborted ? signal.reason : error;
  }
}

/** Reports whether anything takes connections at an address. A server that is stopped or busy does. */
export async function takesConnections(at: UploadServerAddress, signal: AbortSignal): Promise<boolean> {
  try {
    (await connectWithin(at, signal)).destroy();
    return true;
  } catch {
    return false;
  }
}

async function connectWithin({ host, port }: { host: string; port: number }, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const socket = connectTcp({
    host,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MILLISECONDS,
  });
  try {
    await within(CONNECT_TIMEOUT_MILLISECONDS, once(socket, 'connect', { signal }), 'it does not answer');
    return socket;
  } catch (error) {
    socket.on('error', () => undefined).destroy();
    throw signal.aborted ? signal.reason : error;
  }
}

async function within<T>(milliseconds: number, promise: Promise<T>, problem: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${problem} within ${milliseconds / 1000} s`)), milliseconds);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
