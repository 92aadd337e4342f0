import type { ViewConfig, ViewStream } from '../../../otel/config/metric-views.ts';
import { type Attributes, attributes } from '../../../otel/model/attributes.ts';
import type { MetricDescription } from '../../../otel/model/metric.ts';
import type { FakeStream } from '../../model/fake-agent.ts';
import type { Core } from '../core.ts';

/** A view of the metrics with this name. */
export function view(stream: Partial<ViewStream>, instrumentName = '*'): ViewConfig {
  return { selector: { instrumentName }, stream: { aggregation: 'default', ...stream } };
}

/** A member that has said hello. */
export function member(core: Core, id: string, resource: Attributes = attributes({ host: id })): FakeStream {
  const stream = core.stream();
  stream.hello(id, 1, resource);
  return stream;
}

let token = 0;

/** Defines a series that began after the collector did, and gives its number. */
export function define(
  stream: FakeStream,
  m: MetricDescription,
  own: Attributes = attributes({}),
  group = 0,
): number {
  const epoch = m.kind === 'gauge' ? '' : `e${++token}`;
  return stream.define(
    { metric: m, attributes: own, group, isForeign: false },
    epoch,
    epoch === '' ? undefined : 1,
    0,
  );
}

/** Reports values by the numbers of their series. */
export function report(core: Core, stream: FakeStream, values: Record<number, number | number[]>): void {
  const list = Object.entries(values).map(([number, value]) => [Number(number), value] as const);
  stream.report(0, core.nowUs, new Map(list), stream.columns.lastReport + 1);
}
