import { maxScale } from '../../otel/state/exponential-mapping.ts';
import type { ByteWriter } from '../../proto/columns/byte-writer.ts';
import type { ShownShape } from '../outputs/shown-shape.ts';
import type { RecordReader } from './record-reader.ts';

/** What points of exponential histograms were shown with, one after the other up to the end of a record. */
export function writeShapes(writer: ByteWriter, shapes: readonly ShownShape[]): void {
  for (const { point, scale, zeroThreshold } of shapes) {
    writer.varint(point);
    writer.varint(maxScale - scale);
    threshold.writeDoubleLE(zeroThreshold);
    writer.append(threshold);
  }
}

/** What {@link writeShapes} wrote. Scales and thresholds are any numbers. @throws StreamgaugeError `invalid_data` for what is cut off */
export function* readShapes(reader: RecordReader): Generator<ShownShape, void> {
  while (!reader.isAtEnd)
    yield {
      point: reader.varint(),
      scale: maxScale - reader.varint(),
      zeroThreshold: reader.float64(),
    };
}

/** The one at hand. */
const threshold = Buffer.alloc(8);
