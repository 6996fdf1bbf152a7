import { expect } from 'chai';
import { latestWarning } from '../../../../src/controllers/runtime/latest-warning.ts';

const NOW = Date.parse('2024-01-01T00:01:00Z');
const claim = { metadata: { namespace: 'team', name: 'disk', uid: 'u', creationTimestamp: '2024-01-01T00:00:00Z' } };
const warning = (message: string, lastTimestamp: string) => ({
  metadata: {},
  involvedObject: { uid: 'u' },
  message,
  lastTimestamp,
});

describe('the latest warning on an object', () => {
  const told = (...events: object[]) =>
    latestWarning({ client: { list: async () => events } as never, now: () => NOW }, claim);

  it('is the one that came last', async () => {
    const [first, last] = [warning('full', '2024-01-01T00:00:10Z'), warning('slow', '2024-01-01T00:00:20Z')];
    expect(await told(last, first)).to.equal('slow');
    expect(await told()).to.equal(undefined);
  });

  it('is none that two wrote at the same time', async () => {
    const conflict =
      'Error saving claim: the object has been modified; please apply your changes to the latest version';
    expect(await told(warning(conflict, '2024-01-01T00:00:20Z'))).to.equal(undefined);
    expect(await told(warning(conflict, '2024-01-01T00:00:20Z'), warning('full', '2024-01-01T00:00:10Z'))).to.equal(
      'full',
    );
  });

  it('is none of a kubelet that has not got a Secret yet', async () => {
    const late =
      'MountVolume.SetUp failed for volume "tls" : failed to sync secret cache: timed out waiting for the condition';
    expect(await told(warning(late, '2024-01-01T00:00:20Z'))).to.equal(undefined);
  });
});
