import { expect } from 'chai';
import type { UploadTokenClaims } from '../../../../src/protocol/upload-token.ts';
import { Refusal } from '../../../../src/services/uploadproxy/refusal.ts';
import { ServerSearch } from '../../../../src/services/uploadproxy/server-search.ts';
import type { UploadServer } from '../../../../src/services/uploadproxy/upload-servers.ts';
import { rejection } from '../../../support/rejection.ts';

const token: UploadTokenClaims = {
  operation: 'Upload',
  ...{ namespace: 'team', name: 'disk', uid: 'u1' },
  resource: { group: '', version: 'v1', resource: 'persistentvolumeclaims' },
};
const server = (restarts: string): UploadServer => ({ host: '10.0.0.1', port: 8443, serverName: 'upload', restarts });

describe('the search for an upload server', () => {
  const { signal } = new AbortController();
  let answers: (UploadServer | Error)[] = [];
  let asked = 0;
  const servers = {
    find: async () => {
      asked += 1;
      const answer = answers.shift();
      if (answer === undefined || answer instanceof Error) throw answer ?? new Refusal(503, 'nobody answers');
      return answer;
    },
  };

  beforeEach(() => {
    answers = [];
    asked = 0;
  });

  it('asks the API server once for many attempts to connect', async () => {
    answers = [server('0')];
    const search = new ServerSearch(servers, token);
    const pauses = [];
    for (let attempt = 0; attempt < 10; attempt++) {
      expect(await search.next(signal)).to.deep.equal(server('0'));
      pauses.push(search.pause());
    }
    expect(asked).to.equal(1);
    expect(Math.max(...pauses)).to.be.below(1500);
  });

  it('asks ever less often while there is none', async () => {
    const search = new ServerSearch(servers, token);
    const pauses = [];
    for (let attempt = 0; attempt < 10; attempt++) {
      expect(await rejection(search.next(signal))).to.be.instanceOf(Refusal);
      pauses.push(search.pause());
    }
    expect(asked).to.equal(10);
    expect(pauses[0]).to.be.below(200);
    expect(pauses.at(-1)).to.be.within(3000, 7000);
  });

  it('knows of a server that has taken the place of the one that it was told of', async () => {
    answers = [server('0'), server('1')];
    const search = new ServerSearch(servers, token);
    await search.next(signal);
    const later = performance.now();
    const found = await search.next(signal);
    expect(await search.reached(found, later, signal)).to.deep.equal(server('1'));
  });

  it('believes what it was told where the API server is away, and asks nobody about a server that is new', async () => {
    answers = [server('0')];
    const search = new ServerSearch(servers, token);
    const earlier = performance.now();
    const found = await search.next(signal);
    expect(await search.reached(found, earlier, signal)).to.deep.equal(server('0'));
    expect(asked).to.equal(1);
    expect(await search.reached(found, performance.now(), signal)).to.deep.equal(server('0'));
    expect(asked).to.equal(2);
  });
});
