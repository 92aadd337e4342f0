import { AttributeMap, type Attributes, type AttributeValue } from '../model/attributes.ts';
import type { SeriesAttributes } from '../state/point-batch.ts';
import { WireWriter } from './wire-writer.ts';

/** Tags of `repeated KeyValue` fields, by the message they stand in. */
export const attributesTag = {
  resource: (1 << 3) | 2,
  scope: (3 << 3) | 2,
  /** NumberDataPoint and SummaryDataPoint. */
  numberDataPoint: (7 << 3) | 2,
  histogramDataPoint: (9 << 3) | 2,
  exponentialHistogramDataPoint: (1 << 3) | 2,
} as const;

const scratch = new WireWriter(4096);

/** Writes the attributes as `repeated KeyValue` fields under a tag. */
export function writeAttributes(writer: WireWriter, tag: number, attributes: Attributes): void {
  for (const [key, value] of attributes) writeKeyValue(writer, tag, key, value);
}

/** The series' attributes as they stand in a NumberDataPoint or SummaryDataPoint. Made once; the array is the series' own. */
export function numberAttributes(series: SeriesAttributes): Uint8Array {
  series.otlpNumber ??= encoded(attributesTag.numberDataPoint, series.attributes);
  return series.otlpNumber;
}

/** The series' attributes as they stand in a HistogramDataPoint. Made once; the array is the series' own. */
export function histogramAttributes(series: SeriesAttributes): Uint8Array {
  series.otlpHistogram ??= encoded(attributesTag.histogramDataPoint, series.attributes);
  return series.otlpHistogram;
}

/** The series' attributes as they stand in an ExponentialHistogramDataPoint. Made once; the array is the series' own. */
export function exponentialAttributes(series: SeriesAttributes): Uint8Array {
  series.otlpExponential ??= encoded(attributesTag.exponentialHistogramDataPoint, series.attributes);
  return series.otlpExponential;
}

function encoded(tag: number, attributes: Attributes): Uint8Array {
  scratch.position = 0;
  writeAttributes(scratch, tag, attributes);
  return scratch.copy();
}

function writeKeyValue(writer: WireWriter, tag: number, key: string, value: AttributeValue): void {
  const pair = writer.open(tag);
  writer.stringField(0x0a, key);
  writeValue(writer, 0x12, value);
  writer.close(pair);
}

function writeValue(writer: WireWriter, tag: number, value: AttributeValue): void {
  const start = writer.open(tag);
  switch (typeof value) {
    case 'string':
      writer.varint(0x0a);
      writer.string(value);
      break;
    case 'boolean':
      writer.varint(0x10);
      writer.varint(value ? 1 : 0);
      break;
    case 'bigint':
      writer.varint(0x18);
      writer.varint64(value);
      break;
    case 'number':
      writer.varint(0x21);
      writer.double(value);
      break;
    default:
      if (value !== null) writeCompound(writer, value);
  }
  writer.close(start);
}

function writeCompound(
  writer: WireWriter,
  value: Uint8Array | AttributeMap | readonly AttributeValue[],
): void {
  if (value instanceof Uint8Array) {
    writer.varint(0x3a);
    writer.bytes(value);
    return;
  }
  const isMap = value instanceof AttributeMap;
  const start = writer.open(isMap ? 0x32 : 0x2a);
  if (isMap) writeAttributes(writer, 0x0a, value.entries);
  else for (const item of value) writeValue(writer, 0x0a, item);
  writer.close(start);
}
