import { z } from 'zod';
import { optional, unsupported } from './fields.ts';

/** The version of OpenTelemetry's configuration schema that this release speaks. */
export const schemaVersion = '1.1';

/** `file_format`. Of the same major version an older or equal minor version means the same. */
export const fileFormat = optional(
  z
    .custom<string>((value) => value === '1.0' || value === schemaVersion)
    .meta({ allowed: `"1.0" or "${schemaVersion}", in quotes` }),
)
  .describe(
    "The version of OpenTelemetry's configuration schema that `meter_provider` and `resource` follow.",
  )
  .meta({ defaultText: schemaVersion });

const metricsOnly = 'only metrics are collected here';

/** Top-level keys of OpenTelemetry's schema that have no meaning here, so that a message can say why. */
export const unsupportedTopLevel = {
  tracer_provider: unsupported(metricsOnly),
  logger_provider: unsupported(metricsOnly),
  propagator: unsupported(metricsOnly),
  'instrumentation/development': unsupported(metricsOnly),
  attribute_limits: unsupported('use grpc.limits'),
  disabled: unsupported('do not start what shall not run'),
  log_level: unsupported('use streamgauge.log.level'),
  distribution: unsupported('keys of this program stand at the top level and under streamgauge'),
};
