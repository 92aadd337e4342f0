import { noAttributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import type { SeriesCells } from '../../state/series-cells.ts';
import type { Source } from '../source.ts';
import type { HostContext } from './host-context.ts';
import { ProcFile } from './proc-file.ts';
import { SeriesSet } from './series-set.ts';

const uptime = metric({
  name: 'system.uptime',
  unit: 's',
  description: 'The time the system has been running.',
  kind: 'gauge',
});

/** system.uptime, from /proc/uptime. */
export class UptimeSource implements Source {
  readonly name = 'host.uptime';
  readonly #context: HostContext;
  readonly #file: ProcFile;
  readonly #set: SeriesSet;

  constructor(context: HostContext, group: SeriesCells) {
    this.#context = context;
    this.#file = new ProcFile(context, '/proc/uptime', 'system.uptime is');
    this.#set = new SeriesSet(group, [
      { scope: context.scope, metric: uptime, attributes: noAttributes, step: 0.01, changes: 'often' },
    ]);
  }

  collect(): void {
    if (this.#file.read()) this.#set.put(0, this.#context.text.hundredths() / 100);
    else this.#set.retire('idle');
  }
}
