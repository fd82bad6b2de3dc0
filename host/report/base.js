/* SPDX-License-Identifier: Apache-2.0
 *
 * What the whole page uses: its data, elements, numbers as texts, the theme, and what went wrong.
 * Texts of files come into the page as text nodes only. */
'use strict';

const Page = {
  errors: [],
  redraws: [],
  sections: []
};

/* Seen by whoever loads the page in a browser without a screen: data-errors of the root. */
Page.fail = function(message) {
  Page.errors.push(String(message));
  document.documentElement.dataset.errors = Page.errors.length;
  document.documentElement.dataset.error = Page.errors.join('\n').slice(0, 2000);
};
window.addEventListener('error', (event) => Page.fail(event.message));
window.addEventListener('unhandledrejection', (event) => Page.fail(event.reason));
document.addEventListener(
    'securitypolicyviolation',
    (event) => Page.fail(`the policy forbids ${event.blockedURI || event.violatedDirective}`));

/* ---- data: nothing is taken for what it should be ---- */

const list = (x) => (Array.isArray(x) ? x : []);
const object = (x) => (x && typeof x === 'object' && !Array.isArray(x) ? x : {});
const number = (x) => (typeof x === 'number' && Number.isFinite(x) ? x : null);
const text = (x) => (typeof x === 'string' ? x : '');
const finite = (values) => values.filter((x) => number(x) !== null);

Page.bytes = function(base64) {
  try {
    return Uint8Array.from(atob(text(base64)), (c) => c.charCodeAt(0));
  } catch {
    throw new Error('its numbers are damaged');
  }
};

/* ---- elements ---- */

/* element('p', {class: 'lead'}, 'words', child, ...) */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {}))
    if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ''));
  return made;
}

function svg(name, attributes, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/* report.html?only=curves,latent shows these sections and no others. */
Page.only = new URLSearchParams(window.location.search).get('only');

/* A section, and its line in the navigation. What `fill` throws is said in its place. */
Page.section = function(id, title, lead, fill) {
  if (Page.only !== null && !Page.only.split(',').includes(id)) return;
  const made = element(
      'section', {id, 'aria-labelledby': `${id}-title`}, element('h2', {id: `${id}-title`}, title),
      lead ? element('p', {class: 'lead'}, lead) : null);
  document.getElementById('main').append(made);
  try {
    fill(made);
  } catch (error) {
    Page.fail(`${id}: ${error.message}`);
    made.append(element('div', {class: 'note bad'}, `This cannot be shown: ${error.message}`));
  }
  Page.sections.push({id, title, made});
};

Page.figure = function(place, title, ...more) {
  const head = element('div', {class: 'head'}, element('h3', {}, title));
  const made = element('figure', {}, head, ...more);
  made.head = head;
  place.append(made);
  return made;
};

Page.caption = (figure, words) => figure.append(element('figcaption', {}, words));

/* Heads may be none; rows of cells; a cell is a text, a number, or {text, class, head, title, node}
 */
Page.table = function(heads, rows, attributes) {
  const cell = (content, name) => {
    const it = content !== null && typeof content === 'object' ? content : {text: content};
    return element(
        it.head ? 'th' : name, {class: it.class, title: it.title, scope: it.head ? 'row' : null},
        it.node || String(it.text ?? ''), it.small ? element('small', {}, it.small) : null);
  };
  const head = heads.map((content) => {
    const made = cell(content, 'th');
    made.setAttribute('scope', 'col');
    return made;
  });
  const table = element(
      'table', attributes, head.length ? element('thead', {}, element('tr', {}, ...head)) : null,
      element(
          'tbody', {}, ...rows.map((row) => element('tr', {}, ...row.map((c) => cell(c, 'td'))))));
  return element(
      'div', {
        class: 'scroll',
        tabindex: 0,
        role: 'group',
        'aria-label': (attributes && attributes['aria-label']) || 'table'
      },
      table);
};

/* ---- numbers ---- */

const NONE = '\u2013';
const minus = (words) => words.replace(/^-/, '\u2212').replace(/e-/, 'e\u2212').replace('e+', 'e');

/* Four or five digits, as many as a reader takes in. */
Page.real = function(x, digits = 4) {
  if (number(x) === null) return NONE;
  const size = Math.abs(x);
  if (x !== 0 && (size >= 1e6 || size < 1e-4)) return minus(x.toExponential(digits - 2));
  return minus(String(Number(x.toPrecision(digits))));
};
Page.count = (n) => (number(n) === null ? NONE : minus(n.toLocaleString('en-US')));

/* [12.3, 'k'] of 12345 */
function scaled(x, base, units) {
  let at = 0;
  while (Math.abs(x) >= base && at + 1 < units.length) {
    x /= base;
    at++;
  }
  return [at === 0 ? x : Number(x.toPrecision(3)), units[at]];
}
Page.short = function(n) {
  if (number(n) === null) return [NONE, ''];
  return n < 1e5 ? [Page.count(n), ''] : scaled(n, 1000, ['', 'k', 'M', 'G', 'T', 'P']);
};
Page.bytesText = (n) =>
    (number(n) === null ? [NONE, ''] : scaled(n, 1000, ['B', 'kB', 'MB', 'GB', 'TB']));
Page.seconds = function(s) {
  if (number(s) === null) return [NONE, ''];
  if (s < 1) return [Number((s * 1000).toPrecision(3)), 'ms'];
  if (s < 60) return [Number(s.toPrecision(3)), 's'];
  if (s < 3600)
    return [`${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, '0')}`, 'min'];
  return [`${Math.floor(s / 3600)}:${String(Math.floor((s % 3600) / 60)).padStart(2, '0')}`, 'h'];
};
Page.joined = (pair) => (pair[1] ? `${pair[0]}\u00a0${pair[1]}` : String(pair[0]));

/* "0.0213 ± 0.0004": the interval with two digits, the mean with as many as it bears out. */
Page.interval = function(mean, half) {
  if (number(mean) === null) return NONE;
  if (number(half) === null || half <= 0 || Math.abs(mean) >= 1e6) return Page.real(mean);
  const places = Math.min(Math.max(1 - Math.floor(Math.log10(half)), 0), 12);
  if (places > 7) return `${Page.real(mean)} \u00b1 ${Page.real(half, 2)}`;
  return `${minus(mean.toFixed(places))} \u00b1 ${half.toFixed(places)}`;
};

/* ---- the theme ---- */

Page.theme = function() {
  const style = getComputedStyle(document.documentElement);
  const value = (name) => style.getPropertyValue(`--${name}`).trim();
  const names = ['paper', 'panel', 'ink', 'soft', 'line', 'hair', 'accent', 'shade'];
  const theme = Object.fromEntries(names.map((name) => [name, value(name)]));
  theme.colors = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => value(`c${i}`));
  theme.color = (i) => theme.colors[((i % 8) + 8) % 8];
  theme.sans = value('sans');
  return theme;
};

Page.rgb = function(hex) {
  const n = parseInt(hex.slice(1), 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
};
Page.mix = (a, b, part) => a.map((x, i) => Math.round(x + (b[i] - x) * part));
Page.faint = (hex, alpha) => `rgba(${Page.rgb(hex).join(',')},${alpha})`;

/* Draws now, and again when the theme changes. */
Page.draw = function(function_) {
  Page.redraws.push(function_);
  function_();
};
Page.redraw = function() {
  document.documentElement.dataset.theme = getComputedStyle(document.documentElement).colorScheme;
  for (const draw of Page.redraws) draw();
};

/* ---- the tip that follows the pointer ---- */

Page.tip = function(words, x, y) {
  const tip = document.getElementById('tip');
  tip.hidden = !words;
  if (!words) return;
  tip.textContent = words;
  const left =
      Math.min(x + 14, window.scrollX + document.documentElement.clientWidth - tip.offsetWidth - 8);
  tip.style.left = `${Math.max(left, 8)}px`;
  tip.style.top = `${y + 16}px`;
};
