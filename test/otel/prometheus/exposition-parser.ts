/**
 * A strict reader of Prometheus' text format 0.0.4 and of OpenMetrics 1.0, written after their specifications and sharing nothing
 * with the writer. It throws on whatever a scraper or promtool would refuse: two TYPE or HELP lines for a family, a sample away
 * from its family, a series that appears twice, histograms whose buckets fall or lack +Inf.
 */
export interface ParsedSample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
  readonly valueText: string;
}

export interface ParsedFamily {
  readonly name: string;
  type: string;
  help: string | undefined;
  unit: string | undefined;
  readonly samples: ParsedSample[];
}

const suffixes: Readonly<Record<string, readonly string[]>> = {
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
  gauge: [''],
  untyped: [''],
};

export function parseExposition(text: string, openMetrics: boolean): Map<string, ParsedFamily> {
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line has no end');
  const lines = text.split('\n').slice(0, -1);
  if (openMetrics && lines.pop() !== '# EOF') throw new Error('no # EOF at the end');
  const families = new Map<string, ParsedFamily>();
  const seen = new Set<string>();
  let current: ParsedFamily | undefined;
  for (const line of lines) {
    if (line.startsWith('#')) {
      const match = /^# (TYPE|HELP|UNIT) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/s.exec(line);
      if (match === null) throw new Error(`not a metadata line: ${JSON.stringify(line)}`);
      const [, word, name, rest] = match as unknown as [string, string, string, string];
      if (current?.name !== name) {
        if (families.has(name)) throw new Error(`the family ${name} is in two places`);
        current = { name, type: '', help: undefined, unit: undefined, samples: [] };
        families.set(name, current);
      }
      if (current.samples.length > 0) throw new Error(`${word} of ${name} after its samples`);
      if (word === 'TYPE') {
        if (current.type !== '') throw new Error(`two TYPE lines for ${name}`);
        current.type = rest;
      } else if (word === 'HELP') {
        if (current.help !== undefined) throw new Error(`two HELP lines for ${name}`);
        current.help = unescaped(rest, openMetrics ? /\\([\\n"])/g : /\\([\\n])/g);
      } else {
        if (!openMetrics) throw new Error('the text format has no UNIT');
        if (!name.endsWith(`_${rest}`)) throw new Error(`${name} does not end in its unit ${rest}`);
        current.unit = rest;
      }
      continue;
    }
    const sample = parseSample(line);
    if (current === undefined || !belongs(sample.name, current, openMetrics)) {
      throw new Error(`${sample.name} stands in the family ${current?.name} of type ${current?.type}`);
    }
    const series = JSON.stringify([
      sample.name,
      [...sample.labels].filter(([, value]) => value !== '').sort(),
    ]);
    if (seen.has(series)) throw new Error(`twice: ${series}`);
    seen.add(series);
    current.samples.push(sample);
  }
  for (const family of families.values()) {
    if (family.type === '' || family.help === undefined)
      throw new Error(`no TYPE or HELP for ${family.name}`);
    if (family.type === 'histogram') checkHistogram(family);
    if (family.type === 'summary') checkSummary(family);
  }
  return families;
}

function belongs(name: string, family: ParsedFamily, openMetrics: boolean): boolean {
  const counter = openMetrics ? ['_total'] : [''];
  const allowed =
    family.type === 'counter' ? counter : family.type === 'info' ? ['_info'] : suffixes[family.type];
  return allowed?.some((suffix) => name === family.name + suffix) ?? false;
}

function parseSample(line: string): ParsedSample {
  const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(line)?.[0];
  if (name === undefined) throw new Error(`not a sample: ${JSON.stringify(line)}`);
  const labels = new Map<string, string>();
  let at = name.length;
  if (line[at] === '{') {
    const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"([,}])/sy;
    label.lastIndex = at + 1;
    for (;;) {
      const match = label.exec(line);
      if (match === null) throw new Error(`not a label in ${JSON.stringify(line)}`);
      const [, key, value, end] = match as unknown as [string, string, string, string];
      if (labels.has(key)) throw new Error(`label ${key} twice in ${JSON.stringify(line)}`);
      labels.set(key, unescaped(value, /\\([\\n"])/g));
      if (end === '}') {
        at = label.lastIndex;
        break;
      }
    }
  }
  const valueText = line.slice(at + 1);
  if (line[at] !== ' ' || !/^(NaN|[+-]Inf|-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?)$/.test(valueText)) {
    throw new Error(`not a value: ${JSON.stringify(line)}`);
  }
  const value = valueText.endsWith('Inf') ? Number(`${valueText}inity`) : Number(valueText);
  return { name, labels, value, valueText };
}

function unescaped(text: string, escapes: RegExp): string {
  return text.replace(escapes, (_, character: string) => (character === 'n' ? '\n' : character));
}

function checkHistogram(family: ParsedFamily): void {
  const last = new Map<string, { bound: number; count: number }>();
  const key = ({ labels }: ParsedSample) =>
    JSON.stringify([...labels].filter(([name]) => name !== 'le').sort());
  for (const sample of family.samples) {
    if (sample.name.endsWith('_bucket')) {
      const text = sample.labels.get('le');
      if (text === undefined) throw new Error(`a bucket of ${family.name} without le`);
      const bound = text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text);
      const before = last.get(key(sample));
      if (before !== undefined && !(bound > before.bound && sample.value >= before.count)) {
        throw new Error(`the buckets of ${family.name} fall at le ${text}`);
      }
      last.set(key(sample), { bound, count: sample.value });
    } else if (sample.name.endsWith('_count')) {
      const top = last.get(key(sample));
      if (top?.bound !== Number.POSITIVE_INFINITY || top.count !== sample.value) {
        throw new Error(`the count of ${family.name} is not that of its +Inf bucket`);
      }
    }
  }
}

function checkSummary(family: ParsedFamily): void {
  for (const { name, labels, value } of family.samples) {
    const quantile = labels.get('quantile');
    if ((quantile !== undefined) !== (name === family.name))
      throw new Error(`${name} of the summary ${family.name} has the quantile ${quantile}`);
    if (quantile !== undefined && !(Number(quantile) >= 0 && Number(quantile) <= 1))
      throw new Error(`the quantile ${quantile} of ${family.name}`);
    if (quantile === undefined && !(value >= 0)) throw new Error(`${name} is ${value}`);
  }
}
