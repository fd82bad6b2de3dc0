/* SPDX-License-Identifier: Apache-2.0
 *
 * From the data to the page; then it follows the theme, the printer and the reader. */
'use strict';

function navigation() {
  const links = new Map(
      Page.sections.map(({id, title, made}) => [made, element('a', {href: `#${id}`}, title)]));
  document.getElementById('nav').append(
      element('ul', {}, ...[...links.values()].map((link) => element('li', {}, link))));
  const visible = new Set();
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) visible[entry.isIntersecting ? 'add' : 'delete'](entry.target);
    const current = Page.sections.map(({made}) => made).find((made) => visible.has(made));
    for (const [made, link] of links)
      if (made === current)
        link.setAttribute('aria-current', 'true');
      else
        link.removeAttribute('aria-current');
  }, {rootMargin: '-60px 0px -40% 0px'});
  for (const made of links.keys()) watch.observe(made);
}

/* Paper is white, and has what is folded up too. */
function printing() {
  const folded = [];
  window.addEventListener('beforeprint', () => {
    document.documentElement.dataset.print = 'yes';
    document.querySelectorAll('details:not([open])').forEach((it) => {
      it.open = true;
      folded.push(it);
    });
    Page.redraw();
  });
  window.addEventListener('afterprint', () => {
    delete document.documentElement.dataset.print;
    for (const it of folded.splice(0)) it.open = false;
    Page.redraw();
  });
}

/* For whoever tests the page without a screen (report.html#check): which sections have pictures,
 * and which of these stayed blank, as attributes of the root. */
function check() {
  const copy = document.createElement('canvas'),
        context = copy.getContext('2d', {willReadFrequently: true});
  const blank = (canvas) => {
    if (!canvas.width || !canvas.height) return true;
    [copy.width, copy.height] = [canvas.width, canvas.height];
    context.drawImage(canvas, 0, 0);
    const pixels = new Uint32Array(context.getImageData(0, 0, copy.width, copy.height).data.buffer);
    return pixels.every((pixel) => pixel === pixels[0]);
  };
  const said = document.documentElement.dataset,
        canvases = [...document.querySelectorAll('section canvas')];
  const sections =
      (some) => [...new Set(some.map((canvas) => canvas.closest('section').id))].join(' ');
  said.sections = Page.sections.map(({id}) => id).join(' ');
  said.canvases = canvases.length;
  said.drawn = sections(canvases.filter((canvas) => !blank(canvas)));
  said.blank = sections(canvases.filter(blank));
  said.wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
}

function start() {
  const data = JSON.parse(document.getElementById('data').textContent);
  document.documentElement.dataset.errors = 0;
  const sans = Page.theme().sans.replace(/\s+/g, ' ');
  Chart.defaults.font.family = sans;
  Chart.defaults.font.size = 12;
  (data.kind === 'compare' ? Compare : Run).page(data);
  navigation();
  printing();
  document.getElementById('footer').append(
      `${text(data.program)}. This page is one file and asks nothing of the network. ` +
      'Charts: Chart.js 3, MIT licence (its text is in the source of this page).');
  document.documentElement.dataset.theme = getComputedStyle(document.documentElement).colorScheme;
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', Page.redraw);
  if (window.location.hash === '#check') check();
  document.documentElement.dataset.ready = 'yes';
}

start();
