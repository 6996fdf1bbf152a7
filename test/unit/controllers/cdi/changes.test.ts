import { expect } from 'chai';
import fc from 'fast-check';
import { changesBetween, holds, withoutChanges } from '../../../../src/controllers/cdi/changes.ts';

const container = (image: string, args: string[]) => ({ name: 'server', image, args });
const manifest = {
  replicas: 1,
  template: { nodeSelector: { os: 'linux' }, containers: [container('image:1', ['controller'])] },
};
const changed = {
  replicas: 3,
  template: {
    nodeSelector: { os: 'linux', disk: 'fast' },
    affinity: { nodeAffinity: {} },
    containers: [container('image:1', ['controller', '--v=3']), { name: 'side', image: 'other' }],
  },
};

describe('the changes of an object', () => {
  const changes = changesBetween(manifest, changed);

  it('are told as far down as fields and named items go', () => {
    expect(changes.map(({ path }) => path.join('.'))).to.have.members([
      'replicas',
      'template.nodeSelector.disk',
      'template.affinity',
      'template.containers.server.args',
      'template.containers.side',
    ]);
  });

  it('can be taken back', () => {
    expect(withoutChanges(changed, changes)).to.deep.equal(manifest);
  });

  it('leave alone what a newer manifest says', () => {
    const upgraded = {
      replicas: 2,
      template: {
        ...changed.template,
        nodeSelector: { os: 'linux', disk: 'fast', zone: 'a' },
        affinity: { nodeAffinity: {}, podAffinity: {} },
        containers: [container('image:2', ['controller', '--v=3']), { name: 'side', image: 'other' }],
      },
    };
    expect(withoutChanges(upgraded, changes)).to.deep.equal({
      replicas: 2,
      template: {
        nodeSelector: { os: 'linux', zone: 'a' },
        affinity: { podAffinity: {} },
        containers: [container('image:2', ['controller'])],
      },
    });
    expect(changes.filter((change) => !holds(upgraded, change)).map(({ path }) => path.join('.'))).to.deep.equal([
      'replicas',
      'template.affinity',
    ]);
  });

  it('are forgotten where somebody has removed what they were made in', () => {
    const without = { replicas: 3, template: { nodeSelector: { os: 'linux' }, containers: [] } };
    expect(withoutChanges(without, changes)).to.deep.equal({ ...without, replicas: 1 });
  });

  it('can always be taken back', () => {
    const leaf = fc.constantFrom(1, 'a', true, [1, 2]);
    const names = fc.constantFrom('a', 'b', 'c');
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.dictionary(names, tie('tree'), { minKeys: 1 }),
        fc.uniqueArray(names, { minLength: 1 }).map((each) => each.sort().map((name) => ({ name, value: 1 }))),
      ),
    }));
    fc.assert(
      fc.property(tree, tree, (before, after) => {
        const all = changesBetween(before, after);
        for (const change of all) expect(holds(after, change)).to.equal(true);
        const sorted = (value: unknown): unknown =>
          Array.isArray(value) ? value.map((each: unknown) => JSON.stringify(each)).sort() : value;
        const normal = (value: unknown): unknown =>
          typeof value === 'object' && value !== null && !Array.isArray(value)
            ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, normal(each)]))
            : sorted(value);
        expect(normal(withoutChanges(after, all))).to.deep.equal(normal(before));
      }),
    );
  });
});
