import winston from 'winston';
import type { Logger } from '../../src/base/logger.ts';

export function silentLogger(): Logger {
  return winston.createLogger({ silent: true });
}
