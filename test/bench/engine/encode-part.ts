import { Outputs } from '../../../collector/outputs/outputs.ts';
import { compileViews } from '../../../collector/views/compile-views.ts';
import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import { emptyResource } from '../../../otel/model/resource.ts';
import { emptyScope } from '../../../otel/model/scope.ts';
import { encodeRequests } from '../../../otel/otlp/encode-requests.ts';
import { RequestBuffers } from '../../../otel/otlp/request-buffers.ts';
import { checkSums, median, sdkTimes, sixAttributes } from '../encode.ts';
import type { Part } from './part.ts';

const rounds = 25;
const nowUs = 1_790_000_000_000_000;

/** Collecting many cumulative sums of six attributes and writing them as OTLP, beside the OpenTelemetry SDK. */
export const encodePart: Part = async ({ scale }) => {
  const series = 100_000 / scale;
  const outputs = new Outputs({
    nowUs: () => nowUs,
    plansFor: compileViews([]),
    writerId: 'bench',
    outputExpiryMs: 86_400_000,
  });
  const { store } = outputs;
  const member = store.join('bench', emptyResource, nowUs);
  const description = metric({
    name: 'http.server.requests',
    unit: '{request}',
    kind: 'sum',
    isMonotonic: true,
    valueType: 'int',
  });
  const clock = store.clocks.of(member, 0);
  store.timesUs[clock] = nowUs;
  const slots = Array.from({ length: series }, (_, i) => {
    const slot = store.define(
      member,
      {
        scope: emptyScope,
        metric: description,
        attributes: attributes(sixAttributes(i)),
        resource: undefined,
        epoch: 'bench',
        beganAtUs: undefined,
        startTimeUs: nowUs - 60e6,
        clock,
        holder: 1,
      },
      nowUs,
    ) as number;
    store.sums.settle(slot, i);
    store.appear(store.sums, slot);
    return slot;
  });
  const cursor = outputs.addReader('cumulative');
  const times: number[] = [];
  // As a reader does it: in the memory of requests that have been sent.
  const buffers = new RequestBuffers();
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < series; i++) store.sums.values.set(slots[i]!, i + round);
    const from = performance.now();
    for (const { release } of encodeRequests(outputs.collect(cursor, nowUs), { buffers })) release?.();
    // Attributes are encoded at the first export, once.
    if (round > 0) times.push(performance.now() - from);
  }
  checkSums([...encodeRequests(outputs.collect(cursor, nowUs))], series, rounds - 1);
  const ms = median(times);
  const fastestMs = Math.min(...times);
  const sdk = await sdkTimes(series);
  return {
    rows: [
      {
        figure: `collect and encode ${series.toLocaleString('en')} cumulative sums of 6 attributes`,
        // On a machine that others use too, the fastest round is nearest to what the work costs.
        value: `${fastestMs.toFixed(1)} ms (median ${ms.toFixed(1)})`,
        target: '15 ms',
        peer: `OTel JS: ${sdk.fastestMs.toFixed(0)} ms (median ${sdk.collectMs.toFixed(0)} + ${sdk.serializeMs.toFixed(0)})`,
      },
    ],
    figures: {
      collect_and_encode_ms: ms,
      collect_and_encode_fastest_ms: fastestMs,
      sdk_collect_ms: sdk.collectMs,
      sdk_serialize_ms: sdk.serializeMs,
      sdk_fastest_ms: sdk.fastestMs,
    },
  };
};
