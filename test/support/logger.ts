import { Writable } from 'node:stream';
import winston from 'winston';
import type { Logger } from '../../src/base/logger.ts';

export function silentLogger(): Logger {
  return winston.createLogger({ silent: true });
}

/** A logger that keeps all of its lines, as JSON. */
export function collectingLogger(): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(String(chunk));
      done();
    },
  });
  const transports = [new winston.transports.Stream({ stream })];
  return { logger: winston.createLogger({ level: 'debug', format: winston.format.json(), transports }), lines };
}
