import { env } from 'node:process';
import winston from 'winston';
import { lineOf } from './log-line.ts';

/** A structured logger: each line has a message, and fields that include those bound by `child`. */
export type Logger = winston.Logger;

/** How lines are written: for people, or one JSON object each. */
export const logFormats = ['text', 'json'] as const;
export type LogFormat = (typeof logFormats)[number];

/** The winston npm levels that can be chosen. */
export const logLevels = ['error', 'warn', 'info', 'verbose', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LogSettings {
  readonly level: LogLevel;
  readonly format: LogFormat;
}

/** Returns what LOG_LEVEL and LOG_FORMAT of the environment say: `info` and `text` where they say nothing known. */
export function logSettings({ LOG_LEVEL, LOG_FORMAT }: NodeJS.ProcessEnv = env): LogSettings {
  return {
    level: logLevels.find((known) => known === LOG_LEVEL) ?? 'info',
    format: logFormats.find((known) => known === LOG_FORMAT) ?? 'text',
  };
}

/** Creates the logger of the process, which writes to standard error. */
export function createLogger(settings: Partial<LogSettings> = {}): Logger {
  const { level, format } = { ...logSettings(), ...settings };
  return winston.createLogger({
    level,
    format: winston.format.combine(
      winston.format.timestamp(),
      winston.format.errors({ stack: true }),
      format === 'json' ? winston.format.json() : winston.format.printf(lineOf),
    ),
    transports: [new winston.transports.Stream({ stream: process.stderr })],
  });
}
