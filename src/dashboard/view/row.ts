import { courseOf } from '../../api/reasons.ts';
import { formatAge } from '../../base/format-age.ts';
import { formatBytes } from '../../base/format-bytes.ts';
import { adviceFor, meaningOfFallback } from '../rows/advice.ts';
import type { ClaimDetails, Row, Why } from '../rows/row.ts';
import { type Html, html } from './html.ts';
import { stateIcon } from './icons.ts';
import { kindWords, objectWords, stateWords } from './words.ts';

/** In characters; what is longer is folded. */
const LONGEST_UNFOLDED = 160;

/** The identifier of a row's element. */
export const elementId = ({ id }: Pick<Row, 'id'>): string => `row/${id}`;

/**
 * Returns a row of the table. Roles are explicit, because on a phone rows are laid out as blocks, at which browsers
 * forget what they are.
 *
 * @param now in milliseconds since the epoch
 */
export function rowMarkup(row: Row, now: number): Html {
  const { state, kind, namespace, name, source, details, created } = row;
  return html`<tr role="row" id="${elementId(row)}" class="${state}">
    <td role="cell" class="state"><span class="badge">${stateIcon(state)}${stateWords[state]}</span></td>
    <td role="cell" class="kind" title="${objectWords[row.resource]}">${kindWords[kind]}</td>
    <td role="cell" class="namespace">${namespace}</td>
    <th role="rowheader" scope="row" class="name">${name}</th>
    <td role="cell" class="source">${source && html`<p>${source}</p>`}${planMarkup(details)}</td>
    <td role="cell" class="phase">${phaseMarkup(row)}</td>
    <td role="cell" class="why">${whyMarkup(row)}</td>
    <td role="cell" class="age">
      <time datetime="${new Date(created).toISOString()}">${formatAge(now - created)}</time>
    </td>
  </tr>`;
}

function planMarkup(details: ClaimDetails | undefined): Html | undefined {
  if (!details) return undefined;
  const { strategy, plan, fallback } = details;
  return html`${strategy && html`<p class="plan"><span class="tag">${strategy}</span> ${plan ?? ''}</p>`}
  ${fallback && html`<p class="fallback" title="${fallback}">Copied, because ${meaningOfFallback(fallback)}</p>`}`;
}

function phaseMarkup({ phase, percent, details, namespace, name }: Row): Html {
  const rate = details?.bytesPerSecond;
  const share = percent?.toFixed(1);
  return html`<p>${phase}</p>
    ${
      share !== undefined &&
      html`<p class="progress">
        <progress max="100" value="${share}" aria-label="Progress of ${namespace}/${name}"></progress>
        <span>${share} %</span>${rate !== undefined && html` <span class="rate">${formatBytes(rate)}/s</span>`}
      </p>`
    }`;
}

function whyMarkup({ id, why, state }: Row): Html | undefined {
  if (!why) return undefined;
  const advice = state === 'done' ? undefined : adviceFor(why.reason);
  return html`${messageMarkup(id, why)}${advice !== undefined && html`<p class="advice">${codeSpans(advice)}</p>`}`;
}

function messageMarkup(id: string, { reason, message }: Why): Html {
  // A reason that says no more than the phase is left out.
  const title = reason && courseOf(reason) !== 'ordinary' && html`<b>${reason}</b> `;
  if (message.length <= LONGEST_UNFOLDED) return html`<p>${title}${message || reason}</p>`;
  const end = message.lastIndexOf(' ', LONGEST_UNFOLDED);
  const cut = end > 0 ? end : LONGEST_UNFOLDED;
  return html`<details id="why/${id}">
    <summary>${title}${message.slice(0, cut).toWellFormed()} …</summary>
    <p>… ${message.slice(cut).trim().toWellFormed()}</p>
  </details>`;
}

/** Turns the code spans of Markdown, the only thing that advice has of it, into elements. */
function codeSpans(markdown: string): Html[] {
  return markdown.split('`').map((text, index) => (index % 2 === 1 ? html`<code>${text}</code>` : html`${text}`));
}
