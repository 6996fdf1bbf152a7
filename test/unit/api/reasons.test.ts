import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import ts from 'typescript';
import { cloneFallbackReasons } from '../../../src/api/clone.ts';
import { reasonGroups } from '../../../src/api/reason-groups.ts';
import { courseOf } from '../../../src/api/reasons.ts';
import { TransferError, transferErrorCodes } from '../../../src/base/errors.ts';
import { repository } from '../../cluster/folders.ts';

const controllers = join(repository, 'src/controllers');

/** The reasons that stand in the code of a node, as they are written. */
function literalsOf(node: ts.Expression): string[] {
  if (ts.isStringLiteral(node)) return [node.text];
  if (ts.isConditionalExpression(node)) return [...literalsOf(node.whenTrue), ...literalsOf(node.whenFalse)];
  return [];
}

/** With what the controllers stop or wait, by the file that says so. */
function reasonsIn(path: string): string[] {
  const reasons: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isNewExpression(node) && /^(Terminal|Waiting)Error$/.test(node.expression.getText())) {
      reasons.push(...(node.arguments?.slice(0, 1) ?? []).flatMap(literalsOf));
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true));
  return reasons;
}

describe('the table of reasons', () => {
  it('has each reason once', () => {
    const all = reasonGroups.flatMap(({ reasons }) => [...reasons] as string[]);
    expect(all).to.deep.equal([...new Set(all)]);
  });

  it('has every way in which a transfer can fail, with what comes of it', () => {
    for (const code of transferErrorCodes) {
      expect(courseOf(code), code).to.equal(new TransferError(code, '').permanent ? 'permanent' : 'passing');
    }
  });

  it('has everything that the controllers stop at or wait for', () => {
    const found = readdirSync(controllers, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .flatMap((path) => reasonsIn(join(controllers, path)).map((reason) => ({ path, reason })));
    expect(found).to.have.length.greaterThan(20);
    const fallbacks: readonly string[] = cloneFallbackReasons;
    const unknown = found.filter(({ reason }) => courseOf(reason) === undefined && !fallbacks.includes(reason));
    expect(unknown).to.deep.equal([]);
  });
});
