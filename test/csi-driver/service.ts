import { type handleUnaryCall, status } from '@grpc/grpc-js';
import type { Logger } from '../../src/base/logger.ts';
import { StatusError } from './status-error.ts';

/** A gRPC method as an asynchronous function. */
// The loader knows the messages only at run time; each method declares those that it takes and gives.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Method = (request: any) => Promise<object>;

/** Makes gRPC handlers of methods: every call is logged, every failure becomes a status. */
export function handlers(
  methods: Record<string, Method>,
  log: Logger,
): Record<string, handleUnaryCall<object, object>> {
  return Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, handler(name, method, log)]));
}

function handler(name: string, method: Method, log: Logger): handleUnaryCall<object, object> {
  return (call, callback) => {
    const started = performance.now();
    const fields = () => ({
      method: name,
      request: { ...call.request, secrets: undefined },
      milliseconds: Math.round(performance.now() - started),
    });
    method(call.request).then(
      (response) => {
        log.info('call', fields());
        callback(null, response);
      },
      (error: unknown) => {
        const code = error instanceof StatusError ? error.code : status.INTERNAL;
        const details = error instanceof Error ? error.message : String(error);
        log.warn('call failed', { ...fields(), code: status[code], details });
        callback({ code, details });
      },
    );
  };
}
