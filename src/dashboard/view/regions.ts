import { type Picture, totalOf } from '../picture/picture.ts';
import { defaultQuery, hrefOf, type SortKey } from '../picture/query.ts';
import { kinds, states } from '../rows/row.ts';
import { type Html, html } from './html.ts';
import { stateIcon } from './icons.ts';
import { count, kindWords, stateWords } from './words.ts';

const columns: readonly (readonly [title: string, className: string, key?: SortKey])[] = [
  ['State', 'state', 'relevance'],
  ['Kind', 'kind', 'kind'],
  ['Namespace', 'namespace', 'namespace'],
  ['Name', 'name', 'name'],
  ['Source and plan', 'source'],
  ['Phase', 'phase', 'progress'],
  ['Why, and what to do', 'why'],
  ['Age', 'age', 'age'],
];

/** The parts of the page that change while it is looked at, besides the rows, by the identifier of their element. */
export const regions: Readonly<Record<string, (picture: Picture) => Html>> = {
  summary: summaryMarkup,
  namespaces: ({ namespaces }) => html`${namespaces.map((name) => html`<option value="${name}"></option>`)}`,
  head: headMarkup,
  nothing: nothingMarkup,
  pager: pagerMarkup,
};

/** How many rows there are in each state; each is a link to those alone. */
function summaryMarkup({ query, counts }: Picture): Html {
  const current = (isCurrent: boolean) => isCurrent && html` aria-current="true"`;
  const all = hrefOf(query, { state: undefined });
  return html`<li>
      <a class="chip" href="${all}" ${current(query.state === undefined)}
        >All <span class="number">${count(totalOf(counts))}</span></a
      >
    </li>
    ${states.map(
      (state) =>
        html`<li>
          <a class="chip ${state}" href="${hrefOf(query, { state })}" ${current(query.state === state)}
            >${stateIcon(state)}${stateWords[state]} <span class="number">${count(counts[state])}</span></a
          >
        </li>`,
    )}`;
}

function headMarkup({ query }: Picture): Html {
  return html`<tr role="row">
    ${columns.map(([title, className, key]) => {
      if (key === undefined) return html`<th role="columnheader" scope="col" class="${className}">${title}</th>`;
      const isSorted = query.sort === key;
      const isAscending = isSorted && query.order === 'asc';
      const href = hrefOf(query, { sort: key, order: isAscending ? 'desc' : 'asc' });
      const direction = isAscending ? 'ascending' : 'descending';
      return html`<th
        role="columnheader"
        scope="col"
        class="${className}"
        ${isSorted && html`aria-sort="${direction}"`}
      >
        <a id="sort-by-${key}" href="${href}">${title}</a>
      </th>`;
    })}
  </tr>`;
}

function nothingMarkup({ found, query }: Picture): Html {
  if (found > 0) return html``;
  const isFiltered = hrefOf(query) !== hrefOf(query, { q: '', namespace: '', kind: undefined, state: undefined });
  return isFiltered
    ? html`<p>Nothing matches. <a href="./">Show everything</a></p>`
    : html`<p>There is nothing to show yet: no DataVolumes, claims, images or uploads that you may list.</p>`;
}

function pagerMarkup({ query, found, page, pages }: Picture): Html {
  const link = (to: number, rel: string, text: string) =>
    to >= 1 && to <= pages
      ? html`<a id="page-${rel}" rel="${rel}" href="${hrefOf(query, { page: to })}">${text}</a>`
      : html`<span aria-hidden="true">${text}</span>`;
  return html`<span>${count(found)} ${found === 1 ? 'row' : 'rows'}</span> ${
      pages > 1 &&
      html`<span class="pages"
        >${link(page - 1, 'prev', 'Previous')}
        <span>Page ${count(page)} of ${count(pages)}</span> ${link(page + 1, 'next', 'Next')}</span
      >`
    }`;
}

/** The form by which rows are chosen. It is never changed while somebody may write in it. */
export function filterMarkup({ query }: Picture): Html {
  const option = (value: string, title: string, isSelected: boolean) =>
    html`<option value="${value}" ${isSelected && html`selected`}>${title}</option>`;
  const hidden = (['state', 'sort', 'order'] as const).map((name) => {
    const value = query[name];
    return (
      value !== undefined &&
      value !== defaultQuery[name] &&
      html`<input type="hidden" name="${name}" value="${value}" />`
    );
  });
  return html`<form id="filter" role="search" method="get" action="./">
    <label class="text"
      ><span>Search</span>
      <input
        type="search"
        name="q"
        value="${query.q}"
        placeholder="Name, phase, source, reason …"
        autocomplete="off"
        spellcheck="false"
      />
    </label>
    <label
      ><span>Namespace</span>
      <input
        type="search"
        name="namespace"
        value="${query.namespace}"
        list="namespaces"
        placeholder="All"
        autocomplete="off"
        spellcheck="false"
      />
    </label>
    <label
      ><span>Kind</span>
      <select name="kind">
        ${option('', 'All', query.kind === undefined)}
        ${kinds.map((kind) => option(kind, kindWords[kind], query.kind === kind))}
      </select>
    </label>
    ${hidden}
    <button type="submit">Apply</button>
  </form>`;
}
