import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import GithubSlugger from 'github-slugger';
import { lexer, type Token, type Tokens, walkTokens } from 'marked';
import { repository } from '../../cluster/folders.ts';

/** A page of the documentation. */
export interface Page {
  /** Its path in the repository. */
  readonly path: string;
  readonly tokens: readonly Token[];
}

export function readPage(path: string): Page {
  return { path, tokens: lexer(readFileSync(join(repository, path), 'utf8')) };
}

/** Every page of the repository. */
export const pages: readonly Page[] = globSync(['*.md', 'docs/**/*.md'], { cwd: repository }).sort().map(readPage);

/** All tokens of some type, at whatever depth. */
function tokensOf<T extends Tokens.Generic>({ tokens }: Page, type: string): T[] {
  const found: T[] = [];
  void walkTokens([...tokens], (token) => {
    if (token.type === type) found.push(token as T);
  });
  return found;
}

/** The text that a reader sees of tokens within a line. */
function plainText(tokens: readonly Token[]): string {
  const textOf = (token: Token): string => {
    if ('tokens' in token && token.tokens) return plainText(token.tokens);
    return 'text' in token ? String(token.text) : '';
  };
  return tokens.map(textOf).join('');
}

/** The links of a page, with their texts. */
export function linksOf(page: Page): { text: string; target: string }[] {
  return tokensOf<Tokens.Link>(page, 'link').map(({ tokens, href }) => ({ text: plainText(tokens), target: href }));
}

/** What can follow the # of a link to a page, by the rules of GitHub. */
export function anchorsOf(page: Page): Set<string> {
  const slugger = new GithubSlugger();
  return new Set(tokensOf<Tokens.Heading>(page, 'heading').map(({ tokens }) => slugger.slug(plainText(tokens))));
}

/** Blocks of code in a language. */
export function codeBlocksOf(page: Page, language: string): string[] {
  return tokensOf<Tokens.Code>(page, 'code').flatMap(({ lang, text }) => (lang === language ? [text] : []));
}

/** Pieces of code within lines. */
export function codeSpansOf(page: Page): string[] {
  return tokensOf<Tokens.Codespan>(page, 'codespan').map(({ text }) => text);
}

/** A table, by rows of what a reader sees in its cells. */
export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function tablesOf(page: Page): Table[] {
  const textsOf = (cells: readonly Tokens.TableCell[]) => cells.map(({ tokens }) => plainText(tokens));
  return tokensOf<Tokens.Table>(page, 'table').map(({ header, rows }) => ({
    header: textsOf(header),
    rows: rows.map(textsOf),
  }));
}

/** The heading that each block of code in a language is under, with the block. */
export function codeByHeading(page: Page, language: string): Map<string, string> {
  const found = new Map<string, string>();
  let heading = '';
  for (const token of page.tokens) {
    if (token.type === 'heading') heading = plainText((token as Tokens.Heading).tokens);
    else if (token.type === 'code' && (token as Tokens.Code).lang === language)
      found.set(heading, (token as Tokens.Code).text);
  }
  return found;
}
