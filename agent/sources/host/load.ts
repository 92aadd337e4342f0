import { noAttributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import type { SeriesCells } from '../../state/series-cells.ts';
import type { Source } from '../source.ts';
import type { HostContext } from './host-context.ts';
import { ProcFile } from './proc-file.ts';
import { SeriesSet } from './series-set.ts';

/** Named as by the OpenTelemetry Collector's hostmetrics receiver: the semantic conventions have no load. */
const averages = [1, 5, 15].map((minutes) =>
  metric({
    name: `system.cpu.load_average.${minutes}m`,
    unit: '{thread}',
    description: `Average CPU load over ${minutes} minute${minutes === 1 ? '' : 's'}.`,
    kind: 'gauge',
  }),
);

/** system.cpu.load_average.*, from /proc/loadavg. */
export class LoadSource implements Source {
  readonly name = 'host.load';
  readonly #context: HostContext;
  readonly #file: ProcFile;
  readonly #set: SeriesSet;

  constructor(context: HostContext, group: SeriesCells) {
    this.#context = context;
    this.#file = new ProcFile(context, '/proc/loadavg', 'system.cpu.load_average.* is');
    const series = averages.map((average) => ({
      scope: context.scope,
      metric: average,
      attributes: noAttributes,
      step: 0.01,
    }));
    this.#set = new SeriesSet(group, series);
  }

  collect(): void {
    if (!this.#file.read()) {
      this.#set.retire('idle');
      return;
    }
    const { text } = this.#context;
    for (let i = 0; i < averages.length; i++) this.#set.put(i, text.hundredths() / 100);
  }
}
