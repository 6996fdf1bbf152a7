import winston from 'winston';
import type { Logger } from '../../src/log/logger.ts';

export function silentLogger(): Logger {
  return winston.createLogger({ silent: true });
}
