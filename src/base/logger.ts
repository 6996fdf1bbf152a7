import winston from 'winston';

/** A structured logger. Each line is one JSON object that includes the fields bound by `child`. */
export type Logger = winston.Logger;

/**
 * Creates the logger of the process, which writes JSON lines to standard error.
 *
 * @param level a winston npm level: error, warn, info, verbose, debug
 */
export function createLogger(level = 'info'): Logger {
  return winston.createLogger({
    level,
    format: winston.format.combine(
      winston.format.timestamp(),
      winston.format.errors({ stack: true }),
      winston.format.json(),
    ),
    transports: [new winston.transports.Stream({ stream: process.stderr })],
  });
}
