import { expect } from 'chai';
import fc from 'fast-check';
import { lineOf } from '../../../src/base/log-line.ts';
import { logSettings } from '../../../src/base/logger.ts';
import { readRoleFlags } from '../../../src/base/role-flags.ts';

const entry = { timestamp: '2026-01-01T00:00:00.000Z', level: 'info', message: 'copying' };

describe('a line of the log', () => {
  it('has the time, the level, the message, and its fields', () => {
    const fields = {
      format: 'raw',
      bytes: 5,
      of: undefined,
      isLast: false,
      place: 'a b',
      result: { outcome: 'failed' },
    };
    expect(lineOf({ ...entry, ...fields })).to.equal(
      '2026-01-01T00:00:00.000Z INFO  copying format=raw bytes=5 isLast=false place="a b" result={"outcome":"failed"}',
    );
  });

  it('shows a stack below it', () => {
    const stack = 'Error: broken\n    at one\n    at two';
    expect(lineOf({ ...entry, level: 'error', error: stack, code: 'X' }).split('\n')).to.deep.equal([
      '2026-01-01T00:00:00.000Z ERROR copying code=X',
      '    error:',
      '    Error: broken',
      '        at one',
      '        at two',
    ]);
  });

  it('is one entry, and does nothing to a terminal, whatever is in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (message, text) => {
        const lines = lineOf({ ...entry, message, text }).split('\n');
        for (const line of lines.slice(1)) expect(line.startsWith('    ')).to.equal(true);
        // eslint-disable-next-line no-control-regex
        expect(lines.join('')).not.to.match(/[\u0000-\u001f\u007f-\u009f]/);
      }),
    );
  });
});

describe('the settings of the log', () => {
  it('are those of the environment, and ordinary otherwise', () => {
    expect(logSettings({})).to.deep.equal({ level: 'info', format: 'text' });
    expect(logSettings({ LOG_LEVEL: 'debug', LOG_FORMAT: 'json' })).to.deep.equal({ level: 'debug', format: 'json' });
    expect(logSettings({ LOG_LEVEL: 'loud', LOG_FORMAT: 'xml' })).to.deep.equal({ level: 'info', format: 'text' });
  });

  it('are those of the command line, before those of the environment', () => {
    const environment = { LOG_LEVEL: 'warn', LOG_FORMAT: 'text' };
    readRoleFlags(['--other', '--log-format=json', '-v', '5', '--log-level', 'debug'], environment);
    expect(logSettings(environment)).to.deep.equal({ level: 'debug', format: 'json' });
  });
});
