/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures that are not charts: images from bytes, samples as lines, and the matrix of confusions.
 */
'use strict';

const Pictures = {};

/* ---- bytes into colours ---- */

const gray = (data, at) => [data[at], data[at], data[at]];
const colored = (data, at) => [data[at], data[at + 1], data[at + 2]];

/* Zero is the paper, what is below it blue, what is above it vermilion. */
Pictures.diverging = function(theme) {
  const paper = Page.rgb(theme.paper), below = Page.rgb(theme.colors[0]),
        above = Page.rgb(theme.colors[1]);
  return (data, at) => {
    const part = (data[at] - 127.5) / 127.5;
    return Page.mix(paper, part < 0 ? below : above, Math.abs(part));
  };
};

/* What the bytes say, once; a picture set is unusable if they are too few. */
Pictures.open = function(set) {
  const s = object(set);
  const size = Math.max(s.height, 1) * s.width * s.channels;
  const data = Page.bytes(s.data);
  if (!(size > 0) || data.length < s.rows * s.columns * size)
    throw new Error('its pictures are incomplete');
  return {...s, size, bytes: data};
};

/* Draws samples next to each other, one pixel a number, with a pixel between them. */
Pictures.mosaic = function(set, row, first, count, across, paint) {
  const gap = 1, down = Math.ceil(count / across);
  const canvas = element(
      'canvas', {width: across * (set.width + gap) - gap, height: down * (set.height + gap) - gap});
  const context = canvas.getContext('2d');
  const color = paint || (set.channels === 3 ? colored : gray);
  for (let i = 0; i < count; i++) {
    const image = context.createImageData(set.width, set.height);
    const from = (row * set.columns + first + i) * set.size;
    for (let pixel = 0; pixel < set.width * set.height; pixel++) {
      image.data.set(color(set.bytes, from + pixel * set.channels), pixel * 4);
      image.data[pixel * 4 + 3] = 255;
    }
    context.putImageData(
        image, (i % across) * (set.width + gap), Math.floor(i / across) * (set.height + gap));
  }
  return canvas;
};

/* Whole pixels of the screen for one of the image, about as large as `target`. */
const zoom = (set, target) => Math.max(1, Math.round(target / Math.max(set.width, set.height)));

function enlarge(canvas, factor) {
  canvas.style.width = `${canvas.width * factor}px`;
  canvas.style.height = `${canvas.height * factor}px`;
  return canvas;
}

/* ---- strips: rows of images with their names ---- */

/* rows: {label, set, row}. All stand in one band where they can be made small enough for that, else
 * in several; `once`: in one band, of as many as fit into it. */
Pictures.strips = function(place, label, rows, once) {
  const made = element('div', {class: 'strips', role: 'img', 'aria-label': label});
  place.append(made);
  const first = rows[0].set, names = 16 + Math.max(...rows.map((row) => row.label.length)) * 6.8;
  let width = -1;
  const draw = () => {
    if (place.clientWidth === width) return;
    width = place.clientWidth;
    const room = width - names,
          fit = (factor) => Math.max(1, Math.floor(room / ((first.width + 1) * factor)));
    let factor = zoom(first, room < 420 ? 40 : 52);
    while (factor > zoom(first, 34) && fit(factor) < first.columns) factor--;
    if (fit(factor) < first.columns) factor = zoom(first, room < 420 ? 34 : 46);
    const bands = Math.ceil(first.columns / fit(factor)),
          each = once ? fit(factor) : Math.ceil(first.columns / bands);
    made.replaceChildren();
    for (let at = 0; at < first.columns && !(once && at); at += each) {
      if (at) made.append(element('div', {class: 'gap'}));
      for (const row of rows) {
        const count = Math.min(each, row.set.columns - at);
        if (count <= 0) continue;
        made.append(
            element('span', {}, row.label),
            enlarge(Pictures.mosaic(row.set, row.row || 0, at, count, count), factor));
      }
    }
  };
  draw();
  new ResizeObserver(draw).observe(place);
};

/* A heap of images of one kind: weights. */
Pictures.heap = function(place, label, set, paint, target) {
  const made = element('div', {class: 'mosaic', role: 'img', 'aria-label': label});
  place.append(made);
  const draw = () => {
    const factor = zoom(set, target);
    const fit =
        Math.max(1, Math.floor(((place.clientWidth || 600) + factor) / ((set.width + 1) * factor)));
    const down = Math.ceil(set.columns / Math.min(fit, set.columns));
    const across = Math.ceil(set.columns / down);
    made.replaceChildren(
        enlarge(Pictures.mosaic(set, 0, 0, set.columns, across, paint(Page.theme())), factor));
  };
  Page.draw(draw);
  new ResizeObserver(draw).observe(place);
};

/* ---- plots of our own ---- */

/* `paint(context, width, height, theme)`; `say(x, y, width, height)` gives the words for a point.
 */
Pictures.plot = function(place, label, height, paint, say) {
  const canvas = element('canvas', {role: 'img', 'aria-label': label});
  const box = element('div', {class: 'plot'}, canvas);
  place.append(box);
  let size = [0, 0];
  const draw = () => {
    const ratio = window.devicePixelRatio || 1, width = box.clientWidth || 300;
    size = [width, typeof height === 'function' ? height(width) : height];
    canvas.width = Math.round(size[0] * ratio);
    canvas.height = Math.round(size[1] * ratio);
    canvas.style.width = `${size[0]}px`;
    canvas.style.height = `${size[1]}px`;
    const context = canvas.getContext('2d');
    context.scale(ratio, ratio);
    paint(context, size[0], size[1], Page.theme());
  };
  Page.draw(draw);
  let before = box.clientWidth;
  new ResizeObserver(() => {
    if (box.clientWidth !== before) draw();
    before = box.clientWidth;
  }).observe(box);
  if (!say) return canvas;
  canvas.addEventListener(
      'pointermove',
      (event) =>
          Page.tip(say(event.offsetX, event.offsetY, size[0], size[1]), event.pageX, event.pageY));
  canvas.addEventListener('pointerleave', () => Page.tip(null));
  return canvas;
};

/* ---- samples that are no images ---- */

function line(context, set, row, column, width, height) {
  const from = (row * set.columns + column) * set.size;
  context.beginPath();
  for (let i = 0; i < set.width; i++) {
    const x = set.width > 1 ? (i * width) / (set.width - 1) : width / 2;
    const y = 2 + (1 - set.bytes[from + i] / 255) * (height - 4);
    if (i)
      context.lineTo(x, y);
    else
      context.moveTo(x, y);
  }
  if (set.width === 1) context.lineTo(width, 2 + (1 - set.bytes[from] / 255) * (height - 4));
  context.stroke();
}

/* rows: {label, set, row, color, wide, dash}: each sample is a plot with a line for each row. */
Pictures.lines = function(place, label, rows, most) {
  const made = element('div', {class: 'lines'});
  place.append(made);
  for (let at = 0; at < Math.min(rows[0].set.columns, most || 16); at++)
    Pictures.plot(made, `${label}, sample ${at + 1}`, 64, (context, width, height, theme) => {
      context.fillStyle = theme.panel;
      context.fillRect(0, 0, width, height);
      for (const row of rows) {
        context.strokeStyle = row.color === undefined ? theme.soft : theme.color(row.color);
        context.lineWidth = row.wide || 1.2;
        context.setLineDash(row.dash || []);
        if (at < row.set.columns) line(context, row.set, row.row || 0, at, width, height);
      }
    });
};

/* ---- confusion ---- */

const sum = (values) => values.reduce((total, x) => total + x, 0);
const percent = (part, whole) =>
    (whole > 0 ? `${Number(((100 * part) / whole).toPrecision(3))} %` : NONE);

/* As much of a text as is at most `room` wide. */
const abridged = (context, text, room) => {
  if (context.measureText(text).width <= room) return text;
  let length = text.length;
  while (length > 0 && context.measureText(`${text.slice(0, length)}…`).width > room) length--;
  return length > 0 ? `${text.slice(0, length)}…` : '';
};

/* `given`: names of the classes, or none; then they are their numbers. */
Pictures.confusion = function(place, counts, classes, given) {
  const named = given.length === classes;
  const names = [...Array(classes).keys()].map(
      (i) => (named && typeof given[i] === 'string' ? given[i] : String(i)));
  const rows = [...Array(classes).keys()].map((i) => counts.slice(i * classes, (i + 1) * classes));
  const rowSums = rows.map(sum), columnSums = rows.map((_, j) => sum(rows.map((row) => row[j])));
  const edge = named ? 104 : 46; /* left of the matrix, and above it for numbers */
  const top = 46;
  const cell = (width) => Math.min((width - edge) / classes, named ? 72 : 54);
  const dense = (size) => size < 15; /* no room for words */
  const paint = (context, width, height, theme) => {
    const size = cell(width), every = Math.ceil(16 / size);
    const paper = Page.rgb(theme.paper), shade = Page.rgb(theme.shade);
    context.clearRect(0, 0, width, height);
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    for (let i = 0; i < classes; i++)
      for (let j = 0; j < classes; j++) {
        const part = rowSums[i] > 0 ? rows[i][j] / rowSums[i] : 0;
        const fill = Page.mix(paper, shade, Math.sqrt(part) * 0.92);
        context.fillStyle = rows[i][j] ? `rgb(${fill.join(',')})` : theme.panel;
        context.fillRect(
            edge + j * size, top + i * size, size - (size > 6 ? 1.5 : 0),
            size - (size > 6 ? 1.5 : 0));
        if (dense(size) || !rows[i][j]) continue;
        const light = (fill[0] * 299 + fill[1] * 587 + fill[2] * 114) / 1000 > 120;
        context.fillStyle = light ? '#1d1d1b' : '#ffffff';
        context.font = `${Math.min(12.5, size * 0.36)}px ${theme.sans}`;
        context.fillText(String(rows[i][j]), edge + (j + 0.5) * size, top + (i + 0.5) * size);
      }
    context.font = `12px ${theme.sans}`;
    context.fillStyle = theme.soft;
    for (let i = 0; i < classes; i += every) {
      context.textAlign = 'right';
      context.fillText(abridged(context, names[i], edge - 32), edge - 8, top + (i + 0.5) * size);
      context.textAlign = 'center';
      context.fillText(
          abridged(context, names[i], every * size - 6), edge + (i + 0.5) * size, top - 12);
    }
    context.fillText('predicted', edge + (classes * size) / 2, 12);
    context.translate(12, top + (classes * size) / 2);
    context.rotate(-Math.PI / 2);
    context.fillText('true', 0, 0);
  };
  const say = (x, y, width) => {
    const size = cell(width), i = Math.floor((y - top) / size), j = Math.floor((x - edge) / size);
    if (i < 0 || j < 0 || i >= classes || j >= classes) return null;
    return `true ${names[i]}, predicted ${names[j]}: ${rows[i][j]}\n${
               percent(rows[i][j], rowSums[i])} of the true ${names[i]}\n` +
        `${percent(rows[i][j], columnSums[j])} of those predicted as ${names[j]}`;
  };
  const right = sum(rows.map((row, i) => row[i]));
  const words = `Confusion matrix of ${classes} classes; ${right} of ${sum(rowSums)} are right`;
  Pictures.plot(place, words, (width) => top + classes * cell(width), paint, say);
  if (classes > 40) return;
  place.append(element(
      'div', {class: 'unseen'},
      Page.table(
          ['true \\ predicted', ...names],
          rows.map((row, i) => [{text: names[i], head: true}, ...row]),
          {'aria-label': 'Confusion matrix'})));
};
