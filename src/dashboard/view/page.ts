import type { Picture } from '../picture/picture.ts';
import { type Html, html } from './html.ts';
import { iconSheet } from './icons.ts';
import { filterMarkup, regions } from './regions.ts';
import { rowMarkup } from './row.ts';

/** What a page says besides its picture. */
export interface Surroundings {
  /** What the picture is of: a cluster, a namespace. */
  readonly scope: string;
  /** What the reader has to know about what is not shown. */
  readonly notes: readonly string[];
  /** Who reads it, where somebody has logged in. */
  readonly user?: string | undefined;
}

/**
 * Returns the whole page. It needs no script; one replaces its parts as they change. All addresses are relative, so
 * that it can be anywhere.
 *
 * @param now in milliseconds since the epoch
 */
export function pageMarkup(picture: Picture, { scope, notes, user }: Surroundings, now: number): string {
  const region = (name: keyof typeof regions) => regions[name]?.(picture);
  return documentMarkup(
    'Disks and images',
    html`<a class="skip" href="#table">Skip to the table</a>
      ${iconSheet}
      <header>
        <h1>
          <svg class="icon" aria-hidden="true"><use href="#icon-disk" /></svg>Diskpress
        </h1>
        <p class="scope">${scope}</p>
        <p id="live" class="static">
          As of <time datetime="${new Date(now).toISOString()}">${new Date(now).toISOString().slice(11, 19)} UTC</time>
        </p>
        ${
          user !== undefined &&
          html`<form method="post" action="./logout"><span>${user}</span> <button type="submit">Log out</button></form>`
        }
      </header>
      <main>
        ${
          notes.length > 0 &&
          html`<ul class="notes">
            ${notes.map((note) => html`<li>${note}</li>`)}
          </ul>`
        }
        <div class="controls">
          <nav aria-label="States">
            <ul id="summary">
              ${region('summary')}
            </ul>
          </nav>
          ${filterMarkup(picture)}
          <datalist id="namespaces">${region('namespaces')}</datalist>
        </div>
        <div id="table" class="scroll" role="region" aria-label="Clones, imports, uploads and images" tabindex="0">
          <table role="table" aria-label="Clones, imports, uploads and images">
            <thead role="rowgroup" id="head">
              ${region('head')}
            </thead>
            <tbody role="rowgroup" id="rows">
              ${picture.rows.map((row) => rowMarkup(row, now))}
            </tbody>
          </table>
          <div id="nothing">${region('nothing')}</div>
        </div>
        <nav id="pager" aria-label="Pages">${region('pager')}</nav>
      </main>
      <p id="announcement" class="unseen" role="status"></p>`,
    true,
  );
}

/** Returns a document with this body. */
export function documentMarkup(title: string, body: Html, isLive: boolean): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Diskpress</title>
        <link rel="icon" type="image/svg+xml" href="./assets/icon.svg" />
        <link rel="stylesheet" href="./assets/page.css" />
        ${isLive && html`<script type="module" src="./assets/page.js"></script>`}
      </head>
      <body>
        ${body}
      </body>
    </html> `.text;
}
