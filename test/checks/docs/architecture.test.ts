import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { repository } from '../../cluster/folders.ts';
import { codeBlocksOf, codeSpansOf, readPage } from './pages.ts';

/** A rule of dependency-cruiser, as far as the layers are told by it. */
interface Rule {
  readonly from: { readonly path?: string };
  readonly to: { readonly pathNot?: readonly string[] };
}

const { default: cruiser } = (await import(join(repository, '.dependency-cruiser.mjs'))) as {
  default: { forbidden: readonly Rule[] };
};

const layerOf = (path: string) => /^\^src\/([\w-]+)\/$/.exec(path)?.[1];

/** The layers that each layer may know, as the lint rules have them. */
const allowed = new Map(
  cruiser.forbidden.flatMap(({ from, to }) => {
    const layer = layerOf(from.path ?? '');
    const others = (to.pathNot ?? []).map(layerOf).filter((other) => other !== undefined && other !== layer);
    // Other rules may be about a layer, too; those of layers name all that it may know.
    return layer === undefined || to.pathNot === undefined ? [] : [[layer, others] as const];
  }),
);

const page = readPage('docs/architecture.md');
const [drawing = '', controllersDrawing = ''] = codeBlocksOf(page, 'mermaid');
const drawn = [...drawing.matchAll(/^ *([\w-]+) --> ([\w-]+)$/gm)].map(([, from = '', to = '']) => ({ from, to }));

const foldersOf = (path: string) =>
  readdirSync(join(repository, path), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  );

function reachableFrom(layer: string): Set<string> {
  const reached = new Set([layer]);
  for (const each of reached) drawn.filter(({ from }) => from === each).forEach(({ to }) => reached.add(to));
  return reached;
}

describe('docs/architecture.md', () => {
  it('draws every layer', () => {
    const named = [...drawing.matchAll(/^ *([\w-]+)\["/gm)].map(([, name = '']) => name);
    expect(named).to.have.members(foldersOf('src'));
  });

  it('draws every folder of the controllers', () => {
    const named = [...controllersDrawing.matchAll(/\["([^":]+)/g)].flatMap(([, names = '']) => names.split(' · '));
    expect(named).to.have.members(foldersOf('src/controllers'));
  });

  it('draws no dependency that the lint rules forbid', () => {
    expect(drawn).to.have.length.greaterThan(10);
    for (const { from, to } of drawn) expect(allowed.get(from), from).to.include(to);
  });

  it('draws every dependency that the lint rules allow, directly or through others', () => {
    for (const [layer, others] of allowed) expect([...reachableFrom(layer)]).to.include.members(others);
  });

  it('names files and folders that there are', () => {
    const paths = codeSpansOf(page).filter((text) => /^(src|deploy|crds|build|test)\//.test(text));
    expect(paths).to.have.length.greaterThan(20);
    for (const path of paths) expect(existsSync(join(repository, path)), path).to.equal(true);
  });
});
