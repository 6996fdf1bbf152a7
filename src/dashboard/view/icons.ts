import type { State } from '../rows/row.ts';
import { type Html, html } from './html.ts';

/** The drawings of the page, once; each place refers to one. */
export const iconSheet = html`<svg class="sheet" aria-hidden="true">
  <symbol id="icon-failed" viewBox="0 0 16 16">
    <circle cx="8" cy="8" r="7" />
    <path d="m5.5 5.5 5 5m0-5-5 5" />
  </symbol>
  <symbol id="icon-waiting" viewBox="0 0 16 16">
    <circle cx="8" cy="8" r="7" />
    <path d="M8 4.2V8l2.6 1.7" />
  </symbol>
  <symbol id="icon-running" viewBox="0 0 16 16">
    <circle cx="8" cy="8" r="7" />
    <path d="M8 11.4V4.8M5.3 7.4 8 4.7l2.7 2.7" />
  </symbol>
  <symbol id="icon-done" viewBox="0 0 16 16">
    <circle cx="8" cy="8" r="7" />
    <path d="m4.9 8.2 2.2 2.2 4.1-4.5" />
  </symbol>
  <symbol id="icon-disk" viewBox="0 0 24 24">
    <rect x="2.5" y="3.5" width="19" height="17" rx="4" />
    <circle cx="12" cy="12" r="4.5" />
    <circle cx="12" cy="12" r="1" />
  </symbol>
</svg>`;

export const stateIcon = (state: State): Html =>
  html`<svg class="icon" aria-hidden="true"><use href="#icon-${state}" /></svg>`;
