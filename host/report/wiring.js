/* SPDX-License-Identifier: Apache-2.0
 *
 * The components as a tree, from left to right. */
'use strict';

const Wiring = {};

const WIDE = 184, BETWEEN = 44, LINE = 15, SPACE = 12, MOST = 4;

const cut = (words, most) => (words.length > most ? `${words.slice(0, most - 1)}\u2026` : words);

/* {lines, title, slot, kind, below, x, y, tall} of a component and of what is in its slots */
function boxOf(component, depth, above) {
  const parameters = list(component.parameters).map((pair) => `${text(pair[0])}: ${text(pair[1])}`);
  const shown = parameters.slice(0, parameters.length > MOST ? MOST - 1 : MOST);
  const more = parameters.length - shown.length;
  /* without a checkpoint nobody knows kinds; what is below a model is taken for a part of it */
  const kind = text(component.kind) || above || (depth ? text(component.slot) : '');
  return {
    name: text(component.plugin),
    slot: text(component.slot),
    kind,
    depth,
    lines: more > 0 ? [...shown, `+ ${more} more`] : shown,
    all: parameters,
    tall: 40 + LINE * Math.min(parameters.length, MOST) + (parameters.length ? 6 : 0),
    below: list(component.components).map((child) => boxOf(object(child), depth + 1, kind)),
  };
}

/* Those that hold nothing stand one below the other; one that holds some, in the middle of them.
 * The next free place from the top is returned. */
function stack(box, top) {
  let at = top;
  for (const child of box.below) at = stack(child, at);
  const first = box.below[0], last = box.below[box.below.length - 1];
  box.y = first ? (first.y + first.tall / 2 + last.y + last.tall / 2) / 2 - box.tall / 2 : top;
  box.x = box.depth * (WIDE + BETWEEN);
  if (box.y < top) { /* a box that is taller than what it holds */
    shift(box, top - box.y);
    at = Math.max(at, ...box.below.map((child) => bottom(child) + SPACE));
  }
  return Math.max(at, box.y + box.tall + SPACE);
}

function shift(box, by) {
  box.y += by;
  box.below.forEach((child) => shift(child, by));
}

const bottom = (box) => Math.max(box.y + box.tall, ...box.below.map(bottom));
const right = (box) => Math.max(box.x + WIDE, ...box.below.map(right));

function drawBox(box, kinds) {
  const words = (name, y, content) => svg('text', {class: name, x: 14, y}, content);
  const made =
      svg('g', {transform: `translate(${box.x + 0.5},${Math.round(box.y) + 0.5})`},
          svg('title', {}, [`${box.slot}: ${box.name}`, ...box.all].join('\n')),
          svg('rect', {class: 'box', width: WIDE, height: box.tall, rx: 3}));
  if (kinds.has(box.kind))
    made.append(
        svg('rect', {class: `f${kinds.get(box.kind) % 8}`, width: 4, height: box.tall, rx: 1.5}));
  made.append(
      words('slot', 16, cut(box.slot, 28)), words('name', 32, cut(box.name, 25)),
      ...box.lines.map((words_, i) => words('parameter', 51 + i * LINE, cut(words_, 25))));
  return made;
}

function drawWires(box) {
  return box.below.map((child) => {
    const x = box.x + WIDE, y = box.y + box.tall / 2, to = child.y + child.tall / 2,
          middle = x + BETWEEN / 2;
    return svg(
        'path', {class: 'wire', d: `M${x},${y}C${middle},${y} ${middle},${to} ${child.x},${to}`});
  });
}

function everyBox(box) {
  return [box, ...box.below.flatMap(everyBox)];
}

Wiring.draw = function(place, wiring, problem) {
  const settings = list(wiring.settings).filter((pair) => text(pair[0]) !== 'problem');
  const root = boxOf(
      {slot: 'problem', plugin: problem, parameters: settings, components: wiring.components}, 0);
  const tall = stack(root, 1);
  const boxes = everyBox(root);
  const kinds = new Map(
      [...new Set(boxes.map((box) => box.kind).filter(Boolean))].map((kind, i) => [kind, i]));
  const names = boxes.slice(1).map((box) => `${box.slot}: ${box.name}`).join(', ');
  const drawn =
      svg('svg', {
        width: right(root) + 2,
        height: tall,
        viewBox: `0 0 ${right(root) + 2} ${tall}`,
        role: 'img',
        'aria-label': `The components of the run. ${names}`
      },
          ...boxes.flatMap(drawWires), ...boxes.map((box) => drawBox(box, kinds)));
  if (kinds.size > 1)
    place.append(element(
        'div', {class: 'legend'},
        ...[...kinds].map(
            ([kind, i]) =>
                element('span', {}, element('span', {class: `swatch k${i % 8}`}), kind))));
  place.append(
      element('div', {class: 'wiring', tabindex: 0, role: 'group', 'aria-label': 'Wiring'}, drawn));
};
