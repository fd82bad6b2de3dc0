/* SPDX-License-Identifier: Apache-2.0
 *
 * Charts with axes: Chart.js, in the page's colours, with a legend and tools that a keyboard
 * reaches. A chart is made anew whenever its state or the theme changes. */
'use strict';

const Charts = {};

const DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3]];
Charts.dash = (i) => DASHES[Math.floor(i / 8) % DASHES.length];

/* ---- axes ---- */

/* On a long logarithmic axis only ones, twos and fives are named, over many decades only ones; what
 * has no name has no line either. */
function tickText(value, axis) {
  if (axis.type === 'logarithmic') {
    const mantissa = Number((value / 10 ** Math.floor(Math.log10(value) + 1e-9)).toPrecision(3));
    const named = axis.max > 1e3 * axis.min ? [1] : [1, 2, 5];
    if (axis.max > 4 * axis.min && !named.includes(mantissa)) return null;
    if (mantissa !== Math.round(mantissa)) return null;
  }
  return Math.abs(value) >= 1e4 ? Page.joined(Page.short(value)).replace('\u00a0', '') :
                                  Page.real(value);
}

/* options: {log, type, bare (no grid), more} */
Charts.axis = function(theme, title, options) {
  const o = options || {};
  return {
    type: o.log ? 'logarithmic' : o.type || 'linear',
    title: {display: Boolean(title), text: title, color: theme.soft, padding: 2},
    grid: {
      color: theme.hair,
      borderColor: theme.line,
      tickColor: theme.line,
      tickLength: 4,
      display: !o.bare
    },
    ticks: {
      color: theme.soft,
      maxRotation: 0,
      autoSkip: !o.log,
      autoSkipPadding: 14,
      padding: 3,
      includeBounds: false,
      ...(o.type === 'category' ? {} : {
        callback(value) {
          return tickText(value, this);
        }
      })
    },
    ...(o.more || {}),
  };
};

/* A logarithmic axis would go to whole decades by itself: it ends where the numbers do. */
Charts.logEnds = function(values) {
  const positive = values.filter((x) => x > 0);
  if (!positive.length) return {};
  const least = positive.reduce((a, b) => Math.min(a, b)),
        most = positive.reduce((a, b) => Math.max(a, b));
  const room = Math.max((most / least) ** 0.04, 1.02);
  return {min: least / room, max: most * room};
};

/* Ends of an axis with some room around its numbers. */
Charts.spread = function(values) {
  if (!values.length) return {};
  const least = Math.min(...values), most = Math.max(...values),
        room = (most - least || Math.abs(most) || 1) * 0.08;
  return {min: least - room, max: most + room};
};

Charts.tooltip = function(theme, callbacks, more) {
  return {
    backgroundColor: theme.ink,
    titleColor: theme.paper,
    bodyColor: theme.paper,
    footerColor: theme.paper,
    cornerRadius: 3,
    padding: 8,
    boxWidth: 8,
    boxHeight: 8,
    boxPadding: 4,
    titleFont: {weight: '600', size: 12},
    bodyFont: {size: 12},
    callbacks,
    ...(more || {}),
  };
};

/* ---- one chart ---- */

/* Arrow keys walk along the points: the same tip as under the pointer, and its words are said. */
function walk(canvas, chartOf) {
  let at = -1;
  canvas.addEventListener('keydown', (event) => {
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    const chart = chartOf();
    if (!step || !chart) return;
    event.preventDefault();
    const shown =
        chart.data.datasets.map((set, index) => ({set, index}))
            .filter(
                ({set, index}) => !set.silent && chart.isDatasetVisible(index) && set.data.length);
    if (!shown.length) return;
    const longest = Math.max(...shown.map(({set}) => set.data.length));
    at = Math.min(Math.max(at + step, 0), longest - 1);
    const active = shown.filter(({set}) => at < set.data.length)
                       .map(({index}) => ({datasetIndex: index, index: at}));
    const first = chart.getDatasetMeta(active[0].datasetIndex).data[at];
    chart.setActiveElements(active);
    chart.tooltip.setActiveElements(active, {x: first.x, y: first.y});
    chart.update();
    const said =
        chart.tooltip.body ? chart.tooltip.body.map((part) => part.lines.join(' ')).join('; ') : '';
    document.getElementById('said').textContent = `${list(chart.tooltip.title).join(' ')}: ${said}`;
  });
}

/* `make(theme)` gives what `new Chart` takes; the function that is returned draws it anew. */
Charts.add = function(place, label, height, make) {
  const canvas = element('canvas', {role: 'img', 'aria-label': label, tabindex: 0});
  const box = element('div', {class: 'plot'}, canvas);
  box.style.height = typeof height === 'number' ? `${height}px` : '';
  if (typeof height === 'string') box.style.aspectRatio = height;
  place.append(box);
  let chart = null;
  const draw = () => {
    const theme = Page.theme();
    if (chart) chart.destroy();
    const config = make(theme);
    config.options =
        {animation: false, responsive: true, maintainAspectRatio: false, ...config.options};
    config.options.plugins = {legend: {display: false}, ...config.options.plugins};
    chart = new Chart(canvas, config);
  };
  walk(canvas, () => chart);
  Page.draw(draw);
  return draw;
};

/* ---- the legend ---- */

function swatch(item) {
  const made = svg('svg', {width: 20, height: 10, 'aria-hidden': 'true'});
  const draw = () => {
    const color = Page.theme().color(item.color);
    made.replaceChildren(
        item.dot ? (item.color < 8 ? svg('circle', {cx: 10, cy: 5, r: 4, fill: color}) :
                                     svg('path', {d: 'M5 9.5L10 0.5L15 9.5Z', fill: color})) :
                   svg('line', {
                     x1: 0,
                     x2: 20,
                     y1: 5,
                     y2: 5,
                     stroke: color,
                     'stroke-width': 2.4,
                     'stroke-dasharray': list(item.dash).join(' ')
                   }));
  };
  Page.draw(draw);
  return made;
}

/* items: {key, label, color, dash, dot}; `hidden` is the set of the keys that are switched off. */
Charts.legend = function(items, hidden, changed) {
  const made = element('div', {class: 'legend', role: 'group', 'aria-label': 'legend'});
  for (const item of items) {
    const button = element(
        'button', {type: 'button', 'aria-pressed': String(!hidden.has(item.key))}, swatch(item),
        element('span', {}, item.label));
    button.addEventListener('click', () => {
      if (hidden.has(item.key))
        hidden.delete(item.key);
      else
        hidden.add(item.key);
      button.setAttribute('aria-pressed', String(!hidden.has(item.key)));
      changed();
    });
    made.append(button);
  }
  return made;
};

/* A switch; `reason` says why it cannot be used. */
Charts.toggle = function(label, state, key, changed, reason) {
  const button = element(
      'button', {
        type: 'button',
        'aria-pressed': String(Boolean(state[key])),
        disabled: reason ? '' : null,
        title: reason || null
      },
      label);
  button.addEventListener('click', () => {
    state[key] = !state[key];
    button.setAttribute('aria-pressed', String(state[key]));
    changed();
  });
  return button;
};

Charts.choice = function(label, state, key, options, changed) {
  const select = element(
      'select', {'aria-label': label},
      ...options.map((option) => element('option', {value: option}, option)));
  select.value = state[key];
  select.addEventListener('change', () => {
    state[key] = select.value;
    changed();
  });
  return element('label', {}, `${label} `, select);
};

/* ---- curves ---- */

/* sets: {key, label, color, dash, thin, x: {epoch, step, seconds}, y: [...]}. Points without a
 * number are left out, so that a curve goes on behind them. */
function lineSets(sets, state, theme) {
  return sets.filter((set) => !state.hidden.has(set.key)).map((set) => {
    const at = list(set.x[state.x]);
    const data = [];
    set.y.forEach((y, i) => {
      const inside = number(y) !== null && number(at[i]) !== null;
      if (inside && (!state.logX || at[i] > 0) && (!state.logY || y > 0)) data.push({x: at[i], y});
    });
    const color = theme.color(set.color);
    return {
      label: set.label,
      data,
      thin: set.thin,
      silent: set.thin,
      order: set.thin ? 2 : 1,
      borderColor: set.thin ? Page.faint(color, 0.28) : color,
      backgroundColor: color,
      borderWidth: set.thin ? 1 :
          data.length > 500 ? 1.2 :
                              2,
      borderDash: list(set.dash),
      pointRadius: data.length === 1 ? 3 : 0,
      pointHoverRadius: set.thin ? 0 : 3.5,
      pointHitRadius: 8,
      tension: 0,
    };
  });
}

Charts.X = ['epoch', 'step', 'seconds'];

Charts.curves = function(figure, label, sets, state, height) {
  const titleOf = (x) => `${state.x} ${Page.real(x, state.x === 'seconds' ? 4 : 6)}`;
  const values = sets.flatMap((set) => set.y).filter((y) => number(y) !== null);
  const draw = Charts
                   .add(
                       figure, label, height || 250,
                       (theme, datasets = lineSets(sets, state, theme)) => ({
                         type: 'line',
                         data: {datasets},
                         options: {
                           parsing: false,
                           interaction: {mode: 'nearest', axis: 'x', intersect: false},
                           scales: {
                             x: Charts.axis(theme, state.x, {
                               log: state.logX,
                               more: {
                                 grid: {display: false, borderColor: theme.line},
                                 ...(state.logX ? Charts.logEnds(datasets.flatMap(
                                                      (set) => set.data.map((point) => point.x))) :
                                                  {})
                               }
                             }),
                             y: Charts.axis(theme, '', {
                               log: state.logY,
                               more: state.logY ? Charts.logEnds(datasets.flatMap(
                                                      (set) => set.data.map((point) => point.y))) :
                                                  {}
                             }),
                           },
                           plugins: {
                             tooltip: Charts.tooltip(
                                 theme, {
                                   title: (items) => items.length ? titleOf(items[0].parsed.x) : '',
                                   label: (item) => ` ${item.dataset.label}  ${
                                       Page.real(item.parsed.y, 5)}`,
                                 },
                                 {
                                   filter: (item, index, items) =>
                                       !item.dataset.thin || items.every((i) => i.dataset.thin),
                                   itemSort: (a, b) => a.datasetIndex - b.datasetIndex,
                                 }),
                           },
                         },
                       }));
  figure.head.append(element(
      'div', {class: 'tools'}, Charts.toggle('log x', state, 'logX', draw),
      Charts.toggle(
          'log y', state, 'logY', draw,
          values.every((y) => y <= 0) ? 'no number is above 0' : null)));
  return draw;
};

/* ---- points ---- */

const SHAPES = ['circle', 'triangle', 'rect', 'rectRot', 'crossRot', 'star'];

/* Points by their label: [{label, key, data: [{x, y}]}], in order. */
Charts.byLabel = function(points, labels) {
  const groups = new Map();
  for (let i = 0; 2 * i + 1 < points.length; i++) {
    const key = labels.length ? number(labels[i]) : 'all';
    if (number(points[2 * i]) === null || number(points[2 * i + 1]) === null) continue;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push({x: points[2 * i], y: points[2 * i + 1]});
  }
  return [...groups.keys()].sort((a, b) => a - b).map((key, i) => ({
                                                        key,
                                                        index: labels.length ? i : 0,
                                                        data: groups.get(key),
                                                        label: labels.length ? `class ${key}` :
                                                                               'sample'
                                                      }));
};

Charts.scatter = function(figure, label, groups, axes, hidden, more) {
  const o = more || {};
  const count = groups.reduce((sum, group) => sum + group.data.length, 0);
  return Charts.add(
      figure, label, o.aspect || '1 / 1',
      (theme) => ({
        type: 'scatter',
        plugins: list(o.plugins).map((plugin) => plugin(theme)),
        data: {
          datasets: groups.filter((group) => !hidden.has(group.key))
                        .map((group) => ({
                               label: group.label,
                               data: group.data,
                               pointStyle: SHAPES[Math.floor(group.index / 8) % SHAPES.length],
                               backgroundColor:
                                   Page.faint(theme.color(group.index), o.solid ? 0.95 : 0.6),
                               borderColor: o.solid ? theme.paper : theme.color(group.index),
                               borderWidth: o.solid ? 1 : 0.5,
                               radius: count > 400 ? 2.6 : 3.6,
                               hoverRadius: 5,
                             })),
        },
        options: {
          scales: {
            x: Charts.axis(theme, axes[0], {more: o.x}),
            y: Charts.axis(theme, axes[1], {more: o.y}),
          },
          plugins: {
            tooltip: Charts.tooltip(theme, {
              label: (item) => ` ${item.dataset.label}  (${Page.real(item.parsed.x)}, ${
                  Page.real(item.parsed.y)})`,
            }),
          },
        },
      }));
};

/* ---- bars with intervals ---- */

/* Whiskers, and a dot for every seed, over horizontal bars. */
function whiskers(rows, theme) {
  return {
    id: 'whiskers',
    afterDatasetsDraw(chart) {
      const {ctx, scales: {x}} = chart;
      ctx.save();
      ctx.strokeStyle = theme.ink;
      ctx.lineWidth = 1.4;
      chart.getDatasetMeta(0).data.forEach((bar, i) => {
        const row = rows[i];
        if (number(row.low) !== null && number(row.high) !== null) {
          const from = x.getPixelForValue(row.low), to = x.getPixelForValue(row.high), tall = 5;
          ctx.lineWidth = 1.4;
          ctx.beginPath();
          ctx.moveTo(from, bar.y);
          ctx.lineTo(to, bar.y);
          for (const end of [from, to]) {
            ctx.moveTo(end, bar.y - tall);
            ctx.lineTo(end, bar.y + tall);
          }
          ctx.stroke();
        }
        ctx.lineWidth = 1;
        for (const value of finite(row.values)) {
          ctx.beginPath();
          ctx.arc(x.getPixelForValue(value), bar.y, 2.6, 0, 7);
          ctx.fillStyle = theme.paper;
          ctx.fill();
          ctx.stroke();
        }
      });
      ctx.restore();
    },
  };
}

/* rows: {label, color, mean, low, high, values} */
Charts.bars = function(figure, label, rows) {
  const all = rows.flatMap((row) => finite([row.mean, row.low, row.high, ...row.values]));
  const least = Math.min(...all), most = Math.max(...all),
        room = (most - least || Math.abs(most) || 1) * 0.04;
  /* from zero, unless that would leave nothing to see of how they differ */
  const near = least > 0 && most - least < 0.1 * most;
  Charts.add(
      figure, label, 34 * rows.length + 44,
      (theme) => ({
        type: 'bar',
        plugins: [whiskers(rows, theme)],
        data: {
          labels: rows.map((row) => row.label),
          datasets: [{
            data: rows.map((row) => row.mean),
            base: near ? least - 4 * room : 0,
            backgroundColor: rows.map((row) => Page.faint(theme.color(row.color), 0.72)),
            maxBarThickness: 20,
            categoryPercentage: 0.8,
          }],
        },
        options: {
          indexAxis: 'y',
          scales: {
            x: Charts.axis(theme, '', {
              more: {
                min: near ? least - 4 * room : Math.min(0, least - room),
                max: Math.max(0, most + room)
              }
            }),
            y: Charts.axis(theme, '', {
              type: 'category',
              more: {
                grid: {display: false, borderColor: theme.line},
                ticks: {color: theme.ink, padding: 6, autoSkip: false}
              }
            }),
          },
          plugins: {
            tooltip: Charts.tooltip(theme, {
              label: (item) => {
                const row = rows[item.dataIndex];
                const span = number(row.low) !== null ?
                    `, 95 % interval ${Page.real(row.low)} to ${Page.real(row.high)}` :
                    '';
                return ` ${Page.real(row.mean, 5)}${span}`;
              },
              footer: (items) =>
                  finite(rows[items[0].dataIndex].values).map((x) => Page.real(x)).join('  '),
            }),
          },
        },
      }));
  if (near) Page.caption(figure, 'The bars do not begin at zero.');
};

/* ---- histograms ---- */

/* groups: {label, color, counts}; bins lie evenly between low and high. */
Charts.histogram = function(figure, label, groups, low, high, axis, hidden) {
  const bins = groups.length ? groups[0].counts.length : 0;
  const edge = (i) => low + ((high - low) * i) / bins;
  const stacked = groups.length > 2; /* two can be seen through each other */
  return Charts.add(
      figure, label, 260,
      (theme) => ({
        type: 'bar',
        data: {
          datasets: groups.filter((group) => !hidden.has(group.label))
                        .map((group) => ({
                               label: group.label,
                               data: group.counts.map((y, i) => ({x: edge(i + 0.5), y})),
                               backgroundColor:
                                   Page.faint(theme.color(group.color), stacked ? 0.85 : 0.6),
                               grouped: stacked,
                               barPercentage: 1,
                               categoryPercentage: 1,
                             })),
        },
        options: {
          interaction: {mode: 'index', intersect: false},
          scales: {
            x: Charts.axis(
                theme, axis, {bare: true, more: {min: low, max: high, offset: false, stacked}}),
            y: Charts.axis(theme, 'samples', {more: {stacked}}),
          },
          plugins: {
            tooltip: Charts.tooltip(theme, {
              title: (items) => `${Page.real(edge(items[0].dataIndex), 4)} to ${
                  Page.real(edge(items[0].dataIndex + 1), 4)}`,
            }),
          },
        },
      }));
};
