import { fileURLToPath } from 'node:url';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';

/** The folder that import paths of our .proto files are relative to. */
export const protoRoot = fileURLToPath(new URL('.', import.meta.url));

/** Of the .proto files below {@link protoRoot}, those that define services. */
export type ProtoFile =
  | 'streamgauge/v1/telemetry_stream.proto'
  | 'opentelemetry/proto/collector/metrics/v1/metrics_service.proto';

const loaded = new Map<ProtoFile, PackageDefinition>();

/**
 * Loads a .proto file with what it imports, once per process. Decoded messages are plain objects: field names in lowerCamelCase, enums as
 * numbers, bytes as Buffer, 64-bit integers as decimal strings, absent scalars as their defaults, the field that is
 * set of a oneof under the oneof's name.
 */
export function loadProto(file: ProtoFile): PackageDefinition {
  const known = loaded.get(file);
  if (known !== undefined) return known;
  const definition = loadSync(file, {
    includeDirs: [protoRoot],
    keepCase: false,
    longs: String,
    enums: Number,
    bytes: Buffer,
    defaults: true,
    oneofs: true,
  });
  loaded.set(file, definition);
  return definition;
}
