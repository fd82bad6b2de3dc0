/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts that the pages of runs and of comparisons share. */
'use strict';

const Parts = {};

/* ---- the header ---- */

/* facts: {label, value: [number, unit], main, title} */
Parts.header = function(kicker, title, byline, facts) {
  document.getElementById('header').append(
      element('p', {class: 'kicker'}, kicker), element('h1', {}, ...title),
      element('p', {class: 'byline'}, ...byline.filter(Boolean)),
      element(
          'dl', {class: 'facts'},
          ...facts.filter((fact) => fact.value[0] !== NONE)
              .map(
                  (fact) => element(
                      'div', {class: fact.main ? 'main' : null, title: fact.title},
                      element('dt', {}, fact.label),
                      element(
                          'dd', {}, String(fact.value[0]),
                          fact.value[1] ? element('small', {}, fact.value[1]) : null)))));
};

/* Takes the notes of damaged files as they are, and says what they mean for the page. */
Parts.notes = function(notes) {
  if (!notes.length) return;
  document.getElementById('main').append(element(
      'div', {class: 'note bad', id: 'notes'},
      element('p', {}, 'Not everything in the folder could be read; the rest is shown.'),
      element('ul', {}, ...notes.map((note) => element('li', {}, text(note))))));
};

Parts.message = (kind, ...words) => document.getElementById('main').append(
    element('div', {class: `note ${kind}`}, element('p', {}, ...words)));

/* ---- curves ---- */

/* The metrics of some runs in the order of their first appearance, the loss first. */
Parts.metricsOf = function(runs) {
  const names = new Set(
      runs.flatMap((run) => list(object(run.curves).series).map((s) => text(object(s).metric))));
  return [...names].sort((a, b) => (b === 'loss') - (a === 'loss'));
};

Parts.axesOf = (curves) => Object.fromEntries(Charts.X.map((name) => [name, list(curves[name])]));

Parts.thinned = function(figure, runs) {
  const counts = runs.map((run) => object(run.curves)).filter((curves) => curves.buckets);
  if (!counts.length) return;
  const most = Math.max(...counts.map((curves) => curves.count));
  Page.caption(
      figure,
      `${Page.count(most)} epochs are drawn as ${
          Page.count(counts[0].buckets)} groups, each with ` +
          'its least and its largest value.');
};

/* The choice of what runs along all curves of a section. */
Parts.along = function(state, draws) {
  return element(
      'div', {class: 'tools'},
      Charts.choice('along', state, 'x', Charts.X, () => draws.forEach((draw) => draw())));
};

/* ---- tables of two columns ---- */

Parts.pairs = function(place, label, pairs) {
  const shown = pairs.filter(
      ([, value]) => value !== '' && value !== NONE && value !== null && value !== undefined);
  place.append(Page.table(
      [], shown.map(([name, value]) => [{text: name, head: true}, value]), {'aria-label': label}));
};

/* ---- texts ---- */

Parts.text = function(place, title, it, open) {
  const file = object(it);
  if (!text(file.text)) return;
  const note = file.cut ? ' (a part of it: it is long)' : '';
  place.append(element(
      'details', {open: open ? '' : null}, element('summary', {}, title + note),
      element('pre', {tabindex: 0}, text(file.text))));
};

/* ---- pictures ---- */

Parts.shrunk = function(figure, set) {
  const words = [];
  if (set.columns < set.of) words.push(`${set.columns} of ${set.of} samples are shown.`);
  if (set.factor > 1 && set.height) words.push(`Images are made smaller by ${set.factor}.`);
  if (set.factor > 1 && !set.height) words.push(`Every ${set.factor}th feature is drawn.`);
  if (words.length) Page.caption(figure, words.join(' '));
};

/* ---- latent space, boundary ---- */

Parts.latent = function(place, title, latent, hidden, draws) {
  const groups = Charts.byLabel(list(latent.points), list(latent.label));
  const part = (i) => {
    const share = number(list(latent.explained)[i]);
    return `component ${i + 1}${
        share === null ? '' : ` (${Number((100 * share).toPrecision(3))} % of the variance)`}`;
  };
  const figure = Page.figure(place, title);
  const count = groups.reduce((total, group) => total + group.data.length, 0);
  draws.push(Charts.scatter(
      figure, `${title}: ${count} samples in the plane of their first two principal components`,
      groups, [part(0), part(1)], hidden));
  return groups;
};

/* The regions, one pixel a point of the grid, as a canvas that is laid under the points. */
function regions(boundary, bytes, theme) {
  const {width, height} = boundary;
  const canvas = element('canvas', {width, height});
  const context = canvas.getContext('2d');
  const image = context.createImageData(width, height);
  const paper = Page.rgb(theme.paper), low = Page.rgb(theme.color(0)),
        high = Page.rgb(theme.color(1));
  for (let i = 0; i < width * height; i++) {
    const y = height - 1 - Math.floor(i / width), byte = bytes[y * width + (i % width)];
    const part = byte / 127.5 - 1;
    const color = boundary.class ? Page.mix(paper, Page.rgb(theme.color(byte)), 0.3) :
                                   Page.mix(paper, part < 0 ? low : high, Math.abs(part) * 0.6);
    image.data.set([...color, 255], i * 4);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

Parts.boundary = function(place, title, boundary, hidden, draws) {
  const bytes = Page.bytes(boundary.class || boundary.value);
  if (!(bytes.length >= boundary.width * boundary.height))
    throw new Error('its regions are incomplete');
  const groups = Charts.byLabel(list(boundary.points), list(boundary.label));
  for (const group of groups)
    if (group.key !== 'all') group.index = group.key;
  const [x1, x2] = [list(boundary.x1), list(boundary.x2)];
  const half = (axis, count) => (count > 1 ? (axis[1] - axis[0]) / (count - 1) / 2 : 0.5);
  const dx = half(x1, boundary.width), dy = half(x2, boundary.height);
  const plugin = (theme) => {
    const canvas = regions(boundary, bytes, theme);
    return {
      id: 'regions',
      beforeDatasetsDraw(chart) {
        const {ctx, scales: {x, y}} = chart;
        const left = x.getPixelForValue(x1[0] - dx), top_ = y.getPixelForValue(x2[1] + dy);
        ctx.save();
        ctx.imageSmoothingEnabled = !boundary.class;
        ctx.drawImage(
            canvas, left, top_, x.getPixelForValue(x1[1] + dx) - left,
            y.getPixelForValue(x2[0] - dy) - top_);
        ctx.restore();
      },
    };
  };
  const figure = Page.figure(place, title);
  const range = (axis, d) =>
      ({min: axis[0] - d, max: axis[1] + d, grid: {display: false, drawBorder: false}});
  draws.push(Charts.scatter(
      figure, `${title}: what is predicted over the plane of the two inputs`, groups, ['x1', 'x2'],
      hidden, {plugins: [plugin], solid: true, x: range(x1, dx), y: range(x2, dy)}));
  if (!boundary.class)
    Page.caption(figure, `From ${Page.real(boundary.low)} to ${Page.real(boundary.high)}.`);
  return groups;
};

/* One legend for some charts of classes. */
Parts.classLegend = function(place, groups, hidden, draws) {
  if (groups.length < 2) return;
  place.append(Charts.legend(
      groups.map((group) => ({key: group.key, label: group.label, color: group.index, dot: true})),
      hidden, () => draws.forEach((draw) => draw())));
};

/* ---- ROC ---- */

/* sets: {label, color, dash, key, roc} */
Parts.roc = function(place, title, sets, hidden) {
  const figure = Page.figure(place, title);
  const words = sets.map((set) => `${set.label}, area ${Page.real(set.roc.area)}`).join('; ');
  const draw = Charts.add(
      figure, `ROC curve: ${words}`, '1 / 1',
      (theme) => ({
        type: 'line',
        data: {
          datasets: [
            ...sets.filter((set) => !hidden.has(set.key))
                .map((set) => ({
                       label: set.label,
                       borderColor: theme.color(set.color),
                       backgroundColor: theme.color(set.color),
                       borderWidth: 2,
                       borderDash: list(set.dash),
                       pointRadius: 0,
                       pointHitRadius: 6,
                       threshold: list(set.roc.threshold),
                       data: list(set.roc.false_positive)
                                 .map((x, i) => ({x, y: list(set.roc.true_positive)[i]})),
                     })),
            {
              label: 'chance',
              silent: true,
              data: [{x: 0, y: 0}, {x: 1, y: 1}],
              borderColor: theme.line,
              borderWidth: 1,
              borderDash: [4, 4],
              pointRadius: 0,
              pointHitRadius: 0
            }
          ],
        },
        options: {
          scales: {
            x: Charts.axis(theme, 'false positive rate', {more: {min: 0, max: 1}}),
            y: Charts.axis(theme, 'true positive rate', {more: {min: 0, max: 1}}),
          },
          plugins: {
            tooltip: Charts.tooltip(theme, {
              title: () => '',
              label: (item) => ` ${item.dataset.label}  ${Page.real(item.parsed.y, 3)} at ${
                                   Page.real(item.parsed.x, 3)}` +
                  (number(list(item.dataset.threshold)[item.dataIndex]) === null ?
                       '' :
                       `, threshold ${Page.real(item.dataset.threshold[item.dataIndex])}`),
            }),
          },
        },
      }));
  return {figure, draw};
};
