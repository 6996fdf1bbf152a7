import winston from 'winston';

/** A structured logger: every line is one JSON object, with the fields bound by `child` in each. */
export type Logger = winston.Logger;

/**
 * Makes the process's logger, which writes JSON lines to standard error.
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
