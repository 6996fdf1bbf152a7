import { expect } from 'chai';
import { tellingLines } from '../../cluster/telling-lines.ts';

describe('the lines of a log that may tell why its program failed', () => {
  const crash = `listening on 8443
file:///app/main.js:120
    throw new Error(\`no certificate in \${folder}\`);
          ^

Error: no certificate in /etc/tls
    at load (file:///app/main.js:120:11)
    at async Promise.all (index 0)
    at async main (file:///app/main.js:300:5) {
  code: 'ENOENT'
}

Node.js v24.21.0
`;

  it('are those with the message, and not the calls that led to it', () => {
    expect(tellingLines(crash, 3)).to.deep.equal(['Error: no certificate in /etc/tls', "  code: 'ENOENT'", '}']);
  });

  it('are all where they are few', () => {
    expect(tellingLines('exec /app: no such file or directory\n\n', 10)).to.deep.equal([
      'exec /app: no such file or directory',
    ]);
    expect(tellingLines('', 10)).to.deep.equal([]);
  });

  it('begin with the failure where something else follows it', () => {
    const help = Array.from({ length: 30 }, (_, index) => `  --option${index}  sets option ${index}`);
    const log = ['starting', "error: unknown command 'controler'", 'Usage: diskpress', ...help].join('\n');
    expect(tellingLines(log, 4)).to.deep.equal(["error: unknown command 'controler'", '…', ...help.slice(-2)]);
  });

  it('are the last where they are many', () => {
    const lines = Array.from({ length: 50 }, (_, index) => `line ${index}`);
    expect(tellingLines(lines.join('\r\n'), 2)).to.deep.equal(['line 48', 'line 49']);
  });
});
