/* SPDX-License-Identifier: Apache-2.0
 *
 * The page of a comparison. */
'use strict';

const Compare = {};

/* What of compare.json is used, with runs and their curves put to their candidates. */
Compare.read = function(data) {
  const raw = object(data.compare), split = text(raw.split) || 'test',
        below = list(data.runs).map(object);
  /* "model" is what the manifest itself says: its plugin is the better half of the name */
  const name = (candidate, index) => {
    const own = text(candidate.name) || `candidate ${index + 1}`;
    return own === 'model' && text(candidate.model) ? `model (${text(candidate.model)})` : own;
  };
  const candidates = list(raw.candidates).map((it, index) => {
    const candidate = object(it), runs = list(candidate.runs).map(object);
    const links = new Map(
        below.filter((run) => run.candidate === index).map((run) => [text(run.folder), run]));
    return {
      ...candidate,
      index,
      color: index % 8,
      dash: Charts.dash(index),
      name: name(candidate, index),
      runs,
      done: runs.filter((run) => run.status === 'done'),
      links,
      summary: object(object(candidate.summary)[split]),
      shown: [...links.values()].find((run) => run.plots)
    };
  });
  const metrics = list(raw.metrics).map(object).filter((metric) => text(metric.name));
  return {...raw, split, candidates, metrics, runs: below};
};

const half = (it) =>
    (number(it.high) !== null && number(it.low) !== null ? (it.high - it.low) / 2 : null);
const mean = (it) => number(object(it).mean);
const chance = (it) => number(it.p_adjusted) ?? number(it.p);

/* ---- header ---- */

function budgetText(budget) {
  const it = object(budget);
  return it.kind ? `each may have ${Page.count(it.value)} ${it.kind}` : '';
}

/* "auto-encoder has the best mse: 0.02 ± 0.001. ..." */
function verdict(it) {
  const metric = it.metrics[0];
  if (!metric) return null;
  const of = (candidate) => object(candidate.summary[metric.name]);
  const best = it.candidates.find((candidate) => of(candidate).best);
  if (!best) return null;
  const near =
      it.candidates.filter((c) => c !== best && chance(of(c)) !== null && chance(of(c)) >= 0.05);
  const words = [
    element('strong', {}, best.name),
    ` has the best ${metric.name} on the ${it.split} split, ` +
        `${Page.interval(mean(of(best)), half(of(best)))}.`
  ];
  if (near.length)
    words.push(` At 5 % it cannot be told from ${near.map((c) => c.name).join(', ')}.`);
  return words;
}

Compare.header = function(data, it) {
  const runs = it.candidates.flatMap((c) => c.runs),
        ended = runs.filter((run) => !['waiting', 'stopped'].includes(run.status));
  const failed = ended.filter((run) => run.status !== 'done');
  const kind = ended.length < runs.length ? 'open' : failed.length ? 'bad' : 'done';
  const words = ended.length < runs.length ? `${ended.length} of ${runs.length} runs have ended` :
      failed.length ? `${failed.length} of ${runs.length} runs failed` :
                      `${runs.length} runs done`;
  const total = (name) => finite(runs.map((run) => run[name])).reduce((a, b) => a + b, 0) || null;
  Parts.header(
      'Comparison',
      [element('em', {}, text(it.problem) || 'comparison'), `: ${it.candidates.length} candidates`],
      [
        element('span', {class: `status ${kind}`}, words),
        element('span', {}, text(data.name)),
        element('span', {title: text(it.manifest)}, text(it.manifest).split('/').pop()),
      ],
      [
        {label: 'seeds', value: [list(it.seeds).length || NONE, '']},
        {label: 'runs', value: [runs.length, '']},
        {label: 'time, all runs', value: Page.seconds(total('seconds'))},
        {label: 'CPU time, all runs', value: Page.seconds(total('cpu_seconds'))},
      ]);
  const answer = verdict(it);
  if (answer) Parts.message('answer', ...answer);
  if (it.identical_batches === false)
    Parts.message(
        'bad',
        'Not all candidates saw the same batches: they are not compared on equal terms. ' +
            list(it.other_batches).map(text).join(', '));
};

/* ---- the table ---- */

function resultCell(summary) {
  const it = object(summary), p = chance(it);
  if (mean(it) === null) return {class: 'n', text: NONE, value: null};
  const title = number(it.p) === null ?
      null :
      `p ${Page.real(it.p, 3)}, adjusted for all comparisons ${Page.real(it.p_adjusted, 3)}`;
  const small = it.best ? 'best' :
      p === null        ? '' :
      p < 0.001         ? 'p < 0.001' :
                          `p = ${Page.real(p, 2)}`;
  return {
    class: it.best ? 'n best' : 'n',
    text: Page.interval(it.mean, half(it)),
    small,
    title,
    value: it.mean
  };
}

function runsCell(candidate) {
  const bad = new Map();
  for (const run of candidate.runs)
    if (run.status !== 'done') bad.set(text(run.status), (bad.get(text(run.status)) || 0) + 1);
  const failed = [...bad.keys()].some((status) => !['waiting', 'stopped'].includes(status));
  return {
    class: failed ? 'bad' : '',
    text: `${candidate.done.length} of ${candidate.runs.length}`,
    small: [...bad].map(([status, n]) => `${n} ${status}`).join(', '),
    value: candidate.done.length
  };
}

function costCell(stat, say) {
  const value = number(stat) ?? mean(stat);
  const spread = number(object(stat).sd);
  return {
    class: 'n',
    text: Page.joined(say(value)),
    value,
    title: spread === null ? null : `\u00b1 ${Page.joined(say(spread))}`
  };
}

function nameCell(candidate) {
  const sets = list(candidate.sets).map(text).filter(Boolean);
  const node = element(
      'span', {}, element('span', {class: `swatch k${candidate.color}`, 'aria-hidden': 'true'}),
      candidate.name, sets.length ? element('small', {}, sets.join('  ')) : null);
  return {head: true, node, value: candidate.name};
}

/* Clicks on a head sort by its column; the second time the other way round. */
function sortable(place, rows) {
  const body = place.querySelector('tbody'), made = [...body.rows];
  place.querySelectorAll('thead th').forEach((head, column) => {
    const button = element('button', {type: 'button'}, ...head.childNodes);
    head.replaceChildren(button);
    button.addEventListener('click', () => {
      const up = head.getAttribute('aria-sort') !== 'ascending';
      place.querySelectorAll('thead th').forEach((other) => other.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      const key = (i) => rows[i][column].value;
      const order = [...rows.keys()].sort((a, b) => {
        if (key(a) === null || key(b) === null) return (key(a) === null) - (key(b) === null);
        const sign = key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0;
        return up ? sign : -sign;
      });
      body.append(...order.map((i) => made[i]));
    });
  });
}

Compare.table = function(it) {
  Page.section('table', 'Results', '', (place) => {
    const heads = [
      'candidate',
      ...it.metrics.map((metric) => ({
                          class: 'n',
                          text: `${it.split} ${metric.name}`,
                          small: metric.higher_is_better ? 'higher is better' : 'lower is better'
                        })),
      ...['parameters', 'multiply-adds', 'time', 'CPU time', 'memory'].map(
          (name) => ({text: name, class: 'n'})),
      'runs done'
    ];
    const rows = it.candidates.map(
        (c) =>
            [nameCell(c), ...it.metrics.map((metric) => resultCell(c.summary[metric.name])),
             costCell(c.parameters, Page.short), costCell(c.multiply_adds, Page.short),
             costCell(c.seconds, Page.seconds), costCell(c.cpu_seconds, Page.seconds),
             costCell(c.peak_memory_bytes, Page.bytesText), runsCell(c)]);
    place.append(
        Page.table(heads, rows, {'aria-label': 'Results of all candidates', class: 'many'}));
    sortable(place, rows);
    const terms = [
      it.identical_batches ? 'every candidate saw the same batches in the same order' : '',
      budgetText(it.budget)
    ].filter(Boolean).join(', ');
    place.append(element(
        'figcaption', {},
        `Mean over seeds \u00b1 half of its 95 % interval; p: paired test against the best.${
            terms ? ` Equal terms: ${terms}.` : ''}`));
  });
};

Compare.failures = function(it) {
  const bad = it.candidates.flatMap(
      (c) => c.runs.filter((run) => !['done', 'waiting'].includes(run.status))
                 .map((run) => ({c, run})));
  if (!bad.length) return;
  Page.section('failures', 'Failures', '', (place) => {
    place.append(Page.table(
        ['candidate', 'seed', 'status', 'reason'],
        bad.map(
            ({c, run}) =>
                [{head: true, text: c.name}, Page.real(run.seed, 12), text(run.status),
                 text(run.reason)]),
        {'aria-label': 'Failures'}));
  });
};

Compare.bars = function(it) {
  const shown = it.metrics.filter(
      (metric) => it.candidates.some((c) => mean(c.summary[metric.name]) !== null));
  if (!shown.length) return;
  Page.section(
      'bars', 'Metrics',
      'Bars are means over seeds, whiskers their 95 % intervals, dots single seeds.', (place) => {
        const grid = element('div', {class: 'grid'});
        place.append(grid);
        for (const metric of shown) {
          const rows =
              it.candidates.filter((c) => mean(c.summary[metric.name]) !== null).map((c) => {
                const summary = object(c.summary[metric.name]);
                return {
                  label: c.name,
                  color: c.color,
                  mean: summary.mean,
                  low: number(summary.low),
                  high: number(summary.high),
                  values: c.done.map(
                      (run) => number(object(object(run.results)[it.split])[metric.name]))
                };
              });
          const figure = Page.figure(
              grid,
              `${it.split} ${metric.name}, ${
                  metric.higher_is_better ? 'higher' : 'lower'} is better`);
          Charts.bars(
              figure,
              `${metric.name}: ${
                  rows.map((row) => `${row.label} ${Page.real(row.mean)}`).join(', ')}`,
              rows);
        }
      });
};

/* ---- quality and cost ---- */

const COSTS = {
  parameters: [(c) => number(c.parameters), Page.short],
  'multiply-adds': [(c) => number(c.multiply_adds), Page.short],
  time: [(c) => mean(c.seconds), Page.seconds],
  'CPU time': [(c) => mean(c.cpu_seconds), Page.seconds],
  memory: [(c) => number(c.peak_memory_bytes), Page.bytesText],
};

/* The intervals of the points, as vertical lines. */
const spans = (points) => ({
  id: 'spans',
  beforeDatasetsDraw({ctx, scales: {x, y}}) {
    ctx.save();
    for (const point of points.filter(
             (it) => number(it.low) !== null && number(it.high) !== null)) {
      ctx.strokeStyle = point.line;
      ctx.lineWidth = 1.4;
      ctx.beginPath();
      ctx.moveTo(x.getPixelForValue(point.x), y.getPixelForValue(point.low));
      ctx.lineTo(x.getPixelForValue(point.x), y.getPixelForValue(point.high));
      ctx.stroke();
    }
    ctx.restore();
  },
});

function addCost(place, it, metric, state, hidden) {
  const figure = Page.figure(
      place,
      `${it.split} ${metric.name}, ${metric.higher_is_better ? 'higher' : 'lower'} is better`);
  const pointsOf = (theme) =>
      it.candidates.filter((c) => !hidden.has(c.index))
          .map((c) => ({
                 c,
                 ...object(c.summary[metric.name]),
                 x: COSTS[state.x][0](c),
                 y: mean(c.summary[metric.name]),
                 line: theme.color(c.color)
               }))
          .filter((point) => point.x !== null && point.y !== null && (!state.logX || point.x > 0));
  const draw = Charts.add(
      figure, `${metric.name} against what each candidate costs`, 300,
      (theme, points = pointsOf(theme)) => ({
        type: 'scatter',
        plugins: [spans(points)],
        data: {
          datasets: points.map((point) => ({
                                 label: point.c.name,
                                 data: [{x: point.x, y: point.y}],
                                 radius: 5,
                                 hoverRadius: 7,
                                 backgroundColor: point.line,
                                 borderColor: theme.paper,
                                 borderWidth: 1.5
                               }))
        },
        options: {
          scales: {
            x: Charts.axis(theme, state.x, {
              log: state.logX,
              more: {
                ...(state.logX ? Charts.logEnds(points.map((point) => point.x)) : {}),
                ...(state.logX ? {} : {beginAtZero: true})
              }
            }),
            y: Charts.axis(theme, '', {
              more:
                  Charts.spread(points.flatMap((point) => finite([point.y, point.low, point.high])))
            }),
          },
          plugins: {
            tooltip: Charts.tooltip(theme, {
              label: (item) => ` ${item.dataset.label}  ${Page.real(item.parsed.y)}, ` +
                  `${Page.joined(COSTS[state.x][1](item.parsed.x))}`
            })
          },
        },
      }));
  figure.head.append(element('div', {class: 'tools'}, Charts.toggle('log x', state, 'logX', draw)));
  return draw;
}

Compare.cost = function(it) {
  const shown = it.metrics.filter(
      (metric) => it.candidates.filter((c) => mean(c.summary[metric.name]) !== null).length > 1);
  const costs =
      Object.keys(COSTS).filter((name) => it.candidates.some((c) => COSTS[name][0](c) !== null));
  if (!shown.length || !costs.length) return;
  Page.section(
      'cost', 'Quality and cost',
      'What each candidate reaches, against what it takes; lines are 95 % intervals.', (place) => {
        const shared = {x: costs[0]}, hidden = new Set(), draws = [],
              grid = element('div', {class: 'grid'});
        place.append(
            legendOf(it, hidden, draws, true),
            element(
                'div', {class: 'tools'},
                Charts.choice('along', shared, 'x', costs, () => draws.forEach((draw) => draw()))),
            grid);
        for (const metric of shown)
          draws.push(addCost(
              grid, it, metric, {
                logX: false,
                get x() {
                  return shared.x;
                }
              },
              hidden));
      });
};

/* ---- curves ---- */

/* The mean over seeds, as far as all of them go. */
function meanSet(sets, base) {
  const length = Math.min(...sets.map((set) => set.y.length));
  const average = (at) => [...Array(length).keys()].map((i) => {
    const values = finite(sets.map((set) => at(set)[i]));
    return values.length === sets.length ? values.reduce((a, b) => a + b, 0) / values.length : null;
  });
  return {
    ...base,
    y: average((set) => set.y),
    x: Object.fromEntries(Charts.X.map((name) => [name, average((set) => list(set.x[name]))]))
  };
}

function setsOf(it, metric, split) {
  return it.candidates.flatMap((c) => {
    const base = {key: c.index, label: c.name, color: c.color, dash: c.dash};
    const seeds = [...c.links.values()]
                      .map((run) => {
                        const series =
                            list(object(run.curves).series)
                                .find((s) => text(s.metric) === metric && text(s.split) === split);
                        return series && {
                          ...base,
                          label: `${c.name}, seed ${run.seed}`,
                          thin: true,
                          x: Parts.axesOf(run.curves),
                          y: list(series.value)
                        };
                      })
                      .filter((set) => set && finite(set.y).length);
    if (!seeds.length) return [];
    return seeds.length === 1 ? [{...seeds[0], ...base, thin: false}] :
                                [meanSet(seeds, base), ...seeds];
  });
}

function legendOf(it, hidden, draws, dot) {
  return Charts.legend(
      it.candidates.map((c) => ({key: c.index, label: c.name, color: c.color, dash: c.dash, dot})),
      hidden, () => draws.forEach((draw) => draw()));
}

Compare.curves = function(it) {
  const metrics = Parts.metricsOf(it.runs);
  const pairs = metrics
                    .flatMap(
                        (metric) => ['train', 'validation'].map(
                            (split) => ({metric, split, sets: setsOf(it, metric, split)})))
                    .filter((pair) => pair.sets.length);
  if (!pairs.length) return;
  Page.section(
      'curves', 'Learning curves', 'Means over seeds; thin lines are single seeds.', (place) => {
        const shared = {x: 'epoch'}, hidden = new Set(), draws = [],
              grid = element('div', {class: 'grid'});
        place.append(legendOf(it, hidden, draws), Parts.along(shared, draws), grid);
        for (const {metric, split, sets} of pairs) {
          const state = {
            logX: false,
            logY: false,
            hidden,
            get x() {
              return shared.x;
            }
          };
          const figure = Page.figure(grid, `${split} ${metric}`);
          draws.push(Charts.curves(
              figure, `${split} ${metric} of ${it.candidates.map((c) => c.name).join(', ')}`, sets,
              state, 270));
        }
        Parts.thinned(place, it.runs);
      });
};

/* ---- side by side ---- */

const shownOf = (it, name) => it.candidates.filter((c) => c.shown && object(c.shown.plots)[name])
                                  .map((c) => ({c, plot: object(c.shown.plots)[name]}));
const seedNote = (shown) =>
    (shown.length ? `Of the first seed of each candidate (${
                            [...new Set(shown.map(({c}) => c.shown.seed))].join(', ')}).` :
                    '');

Compare.reconstruction = function(it) {
  const shown = shownOf(it, 'reconstruction').filter(({plot}) => plot.input && plot.output);
  if (!shown.length) return;
  Page.section(
      'reconstruction', 'Reconstructions',
      `The same inputs, as every candidate gives them back. ${seedNote(shown)}`, (place) => {
        const open = (c, plot, key, label, more) =>
            ({label, set: Pictures.open(plot[key]), data: plot[key].data, c, ...more});
        const rows = [];
        for (const {c, plot} of shown) {
          /* inputs that are not those above, because of noise or another split, are shown again */
          for (const key of ['input', 'clean'])
            if (plot[key] && !rows.some((row) => row.data === plot[key].data))
              rows.push(open(
                  c, plot, key, rows.some((row) => row.kind === key) ? `${key} of ${c.name}` : key,
                  {kind: key}));
          rows.push(open(c, plot, 'output', c.name, {color: c.color, wide: 1.6}));
        }
        const figure = element('figure', {});
        place.append(figure);
        if (rows[0].set.height)
          Pictures.strips(figure, 'Inputs, and what each candidate makes of them', rows);
        else {
          place.insertBefore(
              element(
                  'div', {class: 'legend'},
                  ...shown.map(
                      ({c}) => element(
                          'span', {}, element('span', {class: `swatch k${c.color}`}), c.name))),
              figure);
          Pictures.lines(figure, 'Input and reconstructions', rows);
        }
        Parts.shrunk(figure, rows[0].set);
      });
};

/* The last samples of every candidate, where the problem is to generate; else they would say
 * what the reconstructions do. */
Compare.samples = function(it) {
  const shown = shownOf(it, 'samples').filter(({plot}) => plot.value);
  if (!shown.length || shownOf(it, 'reconstruction').length) return;
  Page.section('samples', 'Samples', `After the last epoch. ${seedNote(shown)}`, (place) => {
    const rows = shown.map(({c, plot}) => {
      const set = Pictures.open(plot.value);
      return {label: c.name, set, row: set.rows - 1, color: c.color};
    });
    const figure = element('figure', {});
    place.append(figure);
    if (rows[0].set.height)
      Pictures.strips(figure, 'Samples of each candidate', rows, true);
    else
      Pictures.lines(figure, 'Samples', rows);
  });
};

function sideBySide(it, name, title, lead, add) {
  const shown = shownOf(it, name);
  if (!shown.length) return;
  Page.section(name, title, `${lead} ${seedNote(shown)}`, (place) => {
    const hidden = new Set(), draws = [], legend = element('div', {}),
          grid = element('div', {class: 'grid small'});
    place.append(legend, grid);
    const groups = shown.map(({c, plot}) => add(grid, c.name, plot, hidden, draws));
    Parts.classLegend(legend, groups[0], hidden, draws);
  });
}

Compare.roc = function(it) {
  const shown = shownOf(it, 'roc');
  if (!shown.length) return;
  Page.section('roc', 'ROC curves', seedNote(shown), (place) => {
    const hidden = new Set(), draws = [], grid = element('div', {class: 'grid one'});
    place.append(legendOf(it, hidden, draws), grid);
    const {draw} = Parts.roc(
        grid, 'ROC', shown.map(({c, plot}) => ({
                                 key: c.index,
                                 label: `${c.name} (${Page.real(plot.area)})`,
                                 color: c.color,
                                 dash: c.dash,
                                 roc: plot
                               })),
        hidden);
    draws.push(draw);
  });
};

/* ---- the runs ---- */

Compare.runs = function(it) {
  const rows = it.candidates.flatMap((c) => c.runs.map((run) => {
    const link = object(c.links.get(text(run.folder))).report, folder = text(run.folder);
    return [
      {head: true, text: c.name}, Page.real(run.seed, 12), text(run.status),
      ...it.metrics.map((metric) => ({
                          class: 'n',
                          text: Page.real(object(object(run.results)[it.split])[metric.name], 5)
                        })),
      {class: 'n', text: Page.joined(Page.seconds(run.seconds))},
      text(link) ? {node: element('a', {href: text(link)}, folder)} : folder
    ];
  }));
  if (!rows.length) return;
  Page.section(
      'runs', 'Runs', 'Each has a report of its own.',
      (place) => place.append(Page.table(
          [
            'candidate', 'seed', 'status',
            ...it.metrics.map((metric) => ({class: 'n', text: metric.name})),
            {class: 'n', text: 'time'}, 'folder'
          ],
          rows, {'aria-label': 'Runs'})));
};

Compare.page = function(data) {
  const it = Compare.read(data), texts = object(data.texts);
  Compare.header(data, it);
  Parts.notes(list(data.notes));
  Compare.table(it);
  Compare.failures(it);
  Compare.bars(it);
  Compare.cost(it);
  Compare.curves(it);
  Compare.reconstruction(it);
  Compare.samples(it);
  sideBySide(
      it, 'latent', 'Latent spaces',
      'Codes of the test split in the plane of their first two principal components.',
      Parts.latent);
  sideBySide(
      it, 'boundary', 'Decision boundaries', 'What is predicted over the plane of the two inputs.',
      Parts.boundary);
  Compare.roc(it);
  Compare.runs(it);
  if (!text(object(texts['manifest.yaml']).text)) return;
  Page.section(
      'manifest', 'Manifest', '',
      (place) => Parts.text(place, 'manifest.yaml, as written', texts['manifest.yaml'], true));
};
