/* SPDX-License-Identifier: Apache-2.0
 *
 * The page of a run. */
'use strict';

const Run = {};

const STATUS = {
  done: ['done', 'done'],
  diverged: ['diverged', 'bad'],
  failed: ['failed', 'bad']
};

Run.status = function(data) {
  const said = STATUS[text(object(data.result).status)];
  if (said) return said;
  return text(object(data.end).event) ? STATUS.done : ['not finished', 'open'];
};

/* Whichever of result.json, the last line and resolved.yaml knows it first. */
Run.facts = function(data) {
  const result = object(data.result), last = object(data.last),
        settings = new Map(list(object(data.wiring).settings)
                               .map((pair) => [text(list(pair)[0]), text(list(pair)[1])]));
  const first = (...values) => values.find((x) => x !== undefined && x !== null && x !== '');
  return {
    problem: first(text(result.problem), text(data.problem)) || '',
    model: first(text(result.model), text(data.model)) || '',
    seed: first(number(result.seed), settings.get('seed')),
    device: first(text(result.device), settings.get('device')),
    precision: first(text(result.precision), settings.get('precision')),
    asked: settings.get('epochs'),
    epochs: first(number(result.epochs), number(last.epoch)),
    steps: first(number(result.steps), number(last.step)),
    seconds: first(number(result.seconds), number(last.seconds)),
    cpu: number(result.cpu_seconds),
    memory: number(result.peak_memory_bytes),
    parameters: number(result.parameters),
    operations: number(result.multiply_adds),
    threads: number(result.threads),
    results: object(first(result.results, data.end, data.last)),
    metrics: list(result.metrics),
  };
};

function mainResults(facts) {
  const split = ['test', 'validation', 'train'].find(
      (name) => Object.keys(object(facts.results[name])).length);
  const names = Object.entries(object(facts.results[split])).filter(([name]) => name !== 'loss');
  const shown = names.length ? names : Object.entries(object(facts.results[split]));
  return shown.slice(0, 3).map(
      ([name, value]) => ({label: `${split} ${name}`, value: [Page.real(value), ''], main: true}));
}

Run.header = function(data, facts) {
  const [words, kind] = Run.status(data), result = object(data.result);
  const stopped = text(result.stopped_by) ? ` (stopped by ${text(result.stopped_by)})` : '';
  const title = facts.model ?
      [
        facts.model, facts.problem ? ': ' : '', element('em', {}, facts.problem),
        data.data ? ` ${text(data.data)}` : ''
      ] :
      [text(data.name)];
  const place = [
    facts.device, facts.precision,
    facts.threads && `${facts.threads} thread${facts.threads === 1 ? '' : 's'}`
  ].filter(Boolean).join(', ');
  Parts.header(
      'Run report', title,
      [
        element('span', {class: `status ${kind}`}, words + stopped),
        element('span', {}, text(data.name)),
        facts.seed === undefined ? null : element('span', {}, `seed ${facts.seed}`),
        place ? element('span', {}, place) : null,
      ],
      [
        ...mainResults(facts),
        {
          label: 'parameters',
          value: Page.short(facts.parameters),
          title: Page.count(facts.parameters)
        },
        {
          label: 'multiply-adds',
          value: Page.short(facts.operations),
          title: `${Page.count(facts.operations)} for one sample`
        },
        {
          label: 'epochs',
          value: [
            Page.count(facts.epochs),
            facts.asked && Number(facts.asked) !== facts.epochs ? `of ${facts.asked}` : ''
          ]
        },
        {label: 'steps', value: [Page.count(facts.steps), '']},
        {label: 'time', value: Page.seconds(facts.seconds)},
        {label: 'CPU time', value: Page.seconds(facts.cpu)},
        {label: 'peak memory', value: Page.bytesText(facts.memory)},
      ]);
  if (kind === 'bad')
    Parts.message(
        'bad',
        `The run ${words === 'failed' ? 'failed' : 'diverged'}: ${
            text(result.reason) || 'no reason is known'}`);
  if (kind === 'open')
    Parts.message(
        '',
        'This run has not ended. What is shown is how far it had come when this ' +
            'page was made; ',
        element('code', {}, 'abhost resume'), ' goes on with one that was stopped.');
};

/* ---- results ---- */

Run.results = function(facts) {
  const splits = ['train', 'validation', 'test'].filter(
      (name) => Object.keys(object(facts.results[name])).length);
  const names = [...new Set(splits.flatMap((split) => Object.keys(facts.results[split])))];
  if (!names.length) return;
  const better =
      new Map(facts.metrics.map((m) => [text(object(m).name), object(m).higher_is_better]));
  Page.section('results', 'Results', '', (place) => {
    place.append(Page.table(
        ['metric', ...splits.map((split) => ({text: split, class: 'n'})), ''],
        names.map(
            (name) =>
                [{text: name, head: true},
                 ...splits.map((split) => ({
                                 class: 'n',
                                 text: name in facts.results[split] ?
                                     Page.real(facts.results[split][name], 5) :
                                     ''
                               })),
                 better.has(name) ? (better.get(name) ? 'higher is better' : 'lower is better') :
                                    '']),
        {'aria-label': 'Results'}));
  });
};

/* ---- curves ---- */

const SPLITS = ['train', 'validation', 'test'];

Run.curves = function(data) {
  const curves = object(data.curves), metrics = Parts.metricsOf([data]);
  if (!metrics.length || !list(curves.epoch).length) return;
  Page.section('curves', 'Learning curves', '', (place) => {
    const shared = {x: 'epoch'}, draws = [], grid = element('div', {class: 'grid'});
    place.append(Parts.along(shared, draws), grid);
    for (const metric of metrics) {
      const state = {
        logX: false,
        logY: false,
        hidden: new Set(),
        get x() {
          return shared.x;
        }
      };
      const sets = list(curves.series)
                       .filter((s) => text(s.metric) === metric)
                       .map((s) => {
                         const at = SPLITS.indexOf(text(s.split));
                         return {
                           key: text(s.split),
                           label: text(s.split),
                           color: at < 0 ? 3 : at,
                           x: Parts.axesOf(curves),
                           y: list(s.value)
                         };
                       })
                       .filter((set) => finite(set.y).length);
      if (!sets.length) continue;
      const figure = Page.figure(grid, metric);
      const redraw = () => draw();
      figure.append(Charts.legend(sets, state.hidden, redraw));
      const draw = Charts.curves(
          figure, `${metric} by epoch: ${sets.map((set) => set.label).join(', ')}`, sets, state);
      draws.push(draw);
    }
    Parts.thinned(place, [data]);
  });
};

/* ---- what it does ---- */

const PARTS = [['input', 'input'], ['clean', 'clean'], ['output', 'output']];

Run.reconstruction = function(plots) {
  const it = object(plots.reconstruction);
  if (!it.input) return;
  Page.section(
      'reconstruction', 'Reconstructions',
      it.clean ? 'What goes in, what is wanted, and what comes out.' :
                 'What goes in, and what comes out.',
      (place) => {
        const sets = PARTS.filter(([key]) => it[key])
                         .map(([key, label]) => ({label, set: Pictures.open(it[key]), key}));
        const figure = element('figure', {});
        place.append(figure);
        if (sets[0].set.height)
          Pictures.strips(figure, 'Inputs and their reconstructions', sets);
        else {
          const looks = {input: {wide: 1}, clean: {dash: [3, 2]}, output: {color: 0, wide: 1.8}};
          Pictures.lines(
              figure, 'Input and reconstruction', sets.map((set) => ({...set, ...looks[set.key]})));
          Page.caption(
              figure,
              `Grey: the input. Blue: what the model makes of it.${
                  it.clean ? ' Dashed: what is wanted.' : ''}`);
        }
        Parts.shrunk(figure, sets[0].set);
      });
};

Run.samples = function(plots) {
  const it = object(plots.samples);
  if (!it.value) return;
  Page.section(
      'samples', 'Samples over time',
      'The same codes, or the same inputs, after more and more epochs.', (place) => {
        const set = Pictures.open(it.value), epochs = list(it.epoch);
        const figure = element('figure', {});
        place.append(figure);
        const rows = [...Array(set.rows).keys()].map(
            (row) => ({row, set, label: epochs.length ? `epoch ${epochs[row]}` : `${row + 1}`}));
        if (set.height)
          Pictures.strips(figure, 'Samples, one row an epoch', rows, true);
        else {
          const last = rows.length - 1;
          Pictures.lines(
              figure, 'Samples',
              rows.map(
                  (row, i) =>
                      ({...row, color: i === last ? 0 : undefined, wide: i === last ? 1.8 : 0.7})),
              12);
          Page.caption(
              figure,
              `Blue: ${rows[last].label}. Grey: ${
                  rows.slice(0, last).map((row) => row.label).join(', ')}.`);
        }
        Parts.shrunk(figure, set);
      });
};

Run.latent = function(plots) {
  const it = object(plots.latent);
  if (!list(it.points).length) return;
  Page.section(
      'latent', 'Latent space',
      'Codes of the test split in the plane of their first two principal components.', (place) => {
        const hidden = new Set(), draws = [], legend = element('div', {}),
              grid = element('div', {class: 'grid one'});
        place.append(legend, grid);
        Parts.classLegend(legend, Parts.latent(grid, 'Codes', it, hidden, draws), hidden, draws);
      });
};

Run.boundary = function(plots) {
  const it = object(plots.boundary);
  if (!it.class && !it.value) return;
  Page.section('boundary', it.class ? 'Decision boundary' : 'Score over the plane', '', (place) => {
    const hidden = new Set(), draws = [], legend = element('div', {}),
          grid = element('div', {class: 'grid one'});
    place.append(legend, grid);
    Parts.classLegend(legend, Parts.boundary(grid, 'Regions', it, hidden, draws), hidden, draws);
  });
};

Run.confusion = function(plots) {
  const it = object(plots.confusion), counts = list(it.count);
  if (!counts.length) return;
  Page.section(
      'confusion', 'Confusion matrix',
      'Counts of the test split; the shade is the share of the true class.', (place) => {
        const figure = element('figure', {});
        place.append(figure);
        Pictures.confusion(figure, counts.map((n) => number(n) || 0), it.classes, list(it.names));
      });
};

Run.scores = function(plots) {
  const roc = object(plots.roc), scores = object(plots.scores);
  if (!list(roc.true_positive).length && !list(scores.groups).length) return;
  Page.section('scores', 'Scores', '', (place) => {
    const grid = element('div', {class: 'grid'});
    place.append(grid);
    if (list(roc.true_positive).length) {
      const {figure} =
          Parts.roc(grid, 'ROC curve', [{label: 'model', color: 0, roc, key: 'roc'}], new Set());
      Page.caption(figure, `The area under the curve is ${Page.real(roc.area)}.`);
    }
    if (!list(scores.groups).length) return;
    const groups = scores.groups
                       .map((group, i) => ({
                              key: number(group.label) === null ? 'all' : `class ${group.label}`,
                              color: i,
                              counts: list(group.count)
                            }))
                       .map((group) => ({...group, label: group.key}));
    const hidden = new Set(), figure = Page.figure(grid, 'Scores by class');
    const redraw = () => draw();
    if (groups.length > 1)
      figure.append(Charts.legend(groups.map((g) => ({...g, dot: true})), hidden, redraw));
    const draw = Charts.histogram(
        figure, 'Histogram of the scores, by class', groups, scores.low, scores.high, 'score',
        hidden);
  });
};

Run.returns = function(plots) {
  const it = object(plots.returns), episodes = list(it.episodes), histogram = object(it.histogram);
  if (!episodes.length && !list(histogram.groups).length) return;
  Page.section(
      'returns', 'Returns', 'Of the episodes of the last evaluation, without exploration.',
      (place) => {
        const figure = Page.figure(place, `mean ${Page.real(it.mean)}`);
        if (!episodes.length) {
          const groups = histogram.groups.map(
              (group) => ({label: 'episodes', color: 0, counts: list(group.count)}));
          Charts.histogram(
              figure, 'Histogram of returns', groups, histogram.low, histogram.high, 'return',
              new Set());
          return;
        }
        Charts.add(
            figure, `Returns of ${episodes.length} episodes`, 240,
            (theme) => ({
              type: 'bar',
              data: {
                labels: episodes.map((_, i) => i + 1),
                datasets: [{
                  label: 'return',
                  data: episodes,
                  maxBarThickness: 26,
                  backgroundColor: Page.faint(theme.color(0), 0.72)
                }]
              },
              options: {
                scales: {
                  x: Charts.axis(theme, 'episode', {type: 'category', bare: true}),
                  y: Charts.axis(theme, 'return')
                },
                plugins: {
                  tooltip: Charts.tooltip(theme, {title: (items) => `episode ${items[0].label}`})
                },
              },
            }));
      });
};

Run.weights = function(plots) {
  const stacks = list(plots.weights);
  if (!stacks.length) return;
  Page.section(
      'weights', 'Weights',
      'Zero is the colour of the page; below it blue, above it vermilion. Each has its own scale.',
      (place) => {
        for (const stack of stacks) {
          const set = Pictures.open(object(stack).image),
                figure = Page.figure(place, text(stack.name));
          const paint = set.channels === 3 ? () => null : Pictures.diverging;
          Pictures.heap(
              figure, `Weights ${text(stack.name)}: ${set.columns} units as images`, set, paint,
              44);
          const limits = `From ${Page.real(set.low)} to ${Page.real(set.high)}.`;
          Page.caption(
              figure,
              set.columns < set.of ? `${limits} ${set.columns} of ${set.of} units.` : limits);
        }
        const of = object(plots.weights_of);
        if (of.count)
          place.append(
              element('p', {class: 'lead'}, `${of.shown} of ${of.count} weights are shown.`));
      });
};

/* ---- how it was made ---- */

Run.wiring = function(data, facts) {
  const wiring = object(data.wiring);
  if (!list(wiring.components).length) return;
  Page.section(
      'wiring', 'Wiring', 'Every component and what is in its slots; hover for all parameters.',
      (place) => Wiring.draw(place, wiring, facts.problem));
};

function everyComponent(components) {
  return list(components).flatMap((c) => [object(c), ...everyComponent(object(c).components)]);
}

Run.environment = function(data, facts) {
  Page.section('environment', 'Environment', '', (place) => {
    const result = object(data.result);
    Parts.pairs(place, 'Environment', [
      ['program', text(result.program) || text(data.program)],
      ['device', facts.device || ''],
      ['precision', facts.precision || ''],
      ['threads', facts.threads],
      ['seed', facts.seed],
      [
        'hash of the batches', text(result.batches) && {
          node: element(
              'code', {title: text(result.batches)}, `${text(result.batches).slice(0, 16)}\u2026`)
        }
      ],
    ]);
    const plugins = everyComponent(object(data.wiring).components).filter((c) => text(c.id));
    if (!plugins.length) return;
    place.append(element(
        'details', {}, element('summary', {}, `${plugins.length} components and their plugins`),
        Page.table(
            ['place', 'component', 'kind', 'plugin', 'version'],
            plugins.map(
                (c) =>
                    [{text: text(c.path), head: true}, text(c.plugin), text(c.kind), text(c.id),
                     text(c.version)]),
            {'aria-label': 'Plugins'})));
  });
};

Run.timings = function(data, facts) {
  const epoch = list(object(data.curves).epoch), seconds = list(object(data.curves).seconds);
  const each = epoch.map((n, i) => {
    const epochs = n - (i ? epoch[i - 1] : 0), time = seconds[i] - (i ? seconds[i - 1] : 0);
    return epochs > 0 && number(seconds[i]) !== null ? time / epochs : null;
  });
  const known = finite(each).filter((s) => s >= 0);
  if (facts.seconds === undefined && !known.length) return;
  Page.section('timings', 'Timings', '', (place) => {
    const sorted = [...known].sort((a, b) => a - b), middle = sorted[Math.floor(sorted.length / 2)];
    const grid = element('div', {class: 'grid'}), left = element('div', {});
    place.append(grid);
    grid.append(left);
    const say = (s) => Page.joined(Page.seconds(s));
    Parts.pairs(left, 'Timings', [
      ['wall time', say(facts.seconds)],
      ['CPU time', say(facts.cpu)],
      [
        'processors busy', facts.cpu && facts.seconds ? Page.real(facts.cpu / facts.seconds, 3) : ''
      ],
      ['an epoch, median', say(middle)],
      [
        'an epoch, shortest to longest',
        known.length > 1 ? `${say(sorted[0])} to ${say(sorted[sorted.length - 1])}` : ''
      ],
      [
        'steps a second',
        facts.steps && facts.seconds ? Page.real(facts.steps / facts.seconds, 3) : ''
      ],
      ['peak memory', Page.joined(Page.bytesText(facts.memory))],
    ]);
    if (known.length < 3) return;
    const figure = Page.figure(grid, 'seconds an epoch'), state = {x: 'epoch', hidden: new Set()};
    Charts.curves(
        figure, 'Seconds of each epoch',
        [{key: 'seconds', label: 'seconds', color: 0, y: each, x: Parts.axesOf(data.curves)}],
        state, 190);
  });
};

Run.texts = function(data) {
  const texts = object(data.texts);
  if (!['manifest.yaml', 'resolved.yaml', 'log.txt'].some((name) => text(object(texts[name]).text)))
    return;
  Page.section('manifest', 'Manifest and log', '', (place) => {
    Parts.text(place, 'manifest.yaml, as written', texts['manifest.yaml'], true);
    Parts.text(place, 'resolved.yaml, with every default filled in', texts['resolved.yaml'], false);
    Parts.text(place, 'log.txt, its end', texts['log.txt'], false);
  });
};

Run.page = function(data) {
  const facts = Run.facts(data), plots = object(data.plots);
  Run.header(data, facts);
  Parts.notes(list(data.notes));
  Run.results(facts);
  Run.curves(data);
  for (const part
           of ['reconstruction', 'samples', 'latent', 'boundary', 'confusion', 'scores', 'returns',
               'weights'])
    Run[part](plots);
  Run.wiring(data, facts);
  Run.timings(data, facts);
  Run.environment(data, facts);
  Run.texts(data);
};
