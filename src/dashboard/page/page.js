// Keeps the page up to date: the server says which of its parts have changed, and sends their markup. Without this, the
// page shows what was there when it was loaded, and its form and links load it anew.
import morphdom from './morphdom.js';

const RECONNECT_MILLISECONDS = 10_000;
const TYPING_MILLISECONDS = 250;
/** What is said aloud comes no more often than this. */
const ANNOUNCE_MILLISECONDS = 15_000;

const element = (id) => document.getElementById(id);
const form = element('filter');
const body = element('rows');
const live = element('live');

let source;
let retry;
let counts;
let announced = 0;

/** Folds stay as their reader has left them. */
const keepFolds = {
  onBeforeElUpdated(from, to) {
    if (from.tagName === 'DETAILS' && from.open) to.open = true;
    return !from.isEqualNode(to);
  },
};

function parsed(markup) {
  const template = document.createElement('template');
  template.innerHTML = markup;
  return template.content;
}

function showRegion(id, markup) {
  const region = element(id);
  const next = region.cloneNode(false);
  next.append(parsed(markup));
  morphdom(region, next, keepFolds);
}

/** Puts the rows in order, without ever moving the one that has the focus: it would lose it. */
function showRows(rows, order) {
  const wanted = new Set(order);
  const focused = document.activeElement?.closest('#rows > tr');
  if (focused && !wanted.has(focused.id)) element('table').focus({ preventScroll: true });
  for (const row of [...body.children]) if (!wanted.has(row.id)) row.remove();
  let cursor = body.firstElementChild;
  for (const id of order) {
    const known = element(id);
    const markup = rows[id];
    const fresh = markup === undefined ? undefined : parsed(markup).firstElementChild;
    const row = known ?? fresh;
    if (!row) continue;
    if (known && fresh) morphdom(known, fresh, keepFolds);
    while (row === focused && cursor && cursor !== row) {
      const displaced = cursor;
      cursor = cursor.nextElementSibling;
      body.append(displaced);
    }
    if (row === cursor) cursor = cursor.nextElementSibling;
    else body.insertBefore(row, cursor);
  }
}

/** Says aloud how many rows need somebody, where that has changed, and nothing else. */
function announce(next) {
  const before = counts;
  counts = next;
  const now = Date.now();
  if (!before || (before.failed === next.failed && before.waiting === next.waiting)) return;
  if (now - announced < ANNOUNCE_MILLISECONDS) return;
  announced = now;
  element('announcement').textContent = `${next.failed} failed, ${next.waiting} waiting`;
}

function say(className, text) {
  if (live.className === className) return;
  live.className = className;
  live.textContent = text;
}

function connect() {
  clearTimeout(retry);
  source?.close();
  const stream = new EventSource(`./events${location.search}`);
  source = stream;
  stream.addEventListener('change', ({ data }) => {
    const change = JSON.parse(data);
    for (const [id, markup] of Object.entries(change.regions)) showRegion(id, markup);
    showRows(change.rows, change.order);
    announce(change.counts);
    say('live', 'Live');
  });
  stream.addEventListener('error', () => {
    if (source !== stream) return;
    say('broken', 'Not live: trying again');
    if (stream.readyState === EventSource.CLOSED) retry = setTimeout(connect, RECONNECT_MILLISECONDS);
  });
}

/** Shows what another address asks for, without loading the page anew. */
function show(search, isNew) {
  const address = search === '' ? './' : search;
  if (isNew) history.pushState(null, '', address);
  else history.replaceState(null, '', address);
  adopt();
  connect();
}

/** Has the form say what the address says, apart from the field that somebody writes in. */
function adopt() {
  const asked = new URLSearchParams(location.search);
  for (const field of form.elements) {
    if (field.name && field !== document.activeElement) field.value = asked.get(field.name) ?? '';
  }
}

function searchOfForm() {
  const asked = new URLSearchParams(location.search);
  asked.delete('page');
  for (const [name, value] of new FormData(form)) {
    const text = String(value).trim();
    if (text === '') asked.delete(name);
    else asked.set(name, text);
  }
  return asked.size === 0 ? '' : `?${asked}`;
}

let typing;
form.addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(() => show(searchOfForm(), false), TYPING_MILLISECONDS);
});
form.addEventListener('submit', (event) => {
  event.preventDefault();
  clearTimeout(typing);
  show(searchOfForm(), true);
});

document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a[href]');
  const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  if (!link || !isPlain || !/^\.\/(\?|$)/.test(link.getAttribute('href'))) return;
  event.preventDefault();
  show(new URL(link.href).search, true);
});

addEventListener('popstate', () => {
  adopt();
  connect();
});
// A page that comes back from the browser's memory has no connection any more.
addEventListener('pageshow', ({ persisted }) => persisted && connect());

document.documentElement.classList.add('scripted');
adopt();
connect();
