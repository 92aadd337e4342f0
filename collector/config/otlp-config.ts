// What the collector takes in as OTLP. Times are milliseconds, sizes bytes.

/** Pages of other origins that may send from a browser. */
export interface CorsConfig {
  /** Patterns: `https://*.example.com`. */
  readonly allowedOrigins: readonly string[];
  /** Headers beyond those that exporters set. */
  readonly allowedHeaders: readonly string[];
  /** How long a browser may remember it. */
  readonly maxAgeMs: number;
}

export interface OtlpConfig {
  /** One request, uncompressed. */
  readonly maxRequestBytes: number;
  readonly maxPoints: number;
  /** Series of all senders together. */
  readonly maxSeries: number;
  /** What becomes of a delta whose interval overlaps one that was counted: see PointRules. */
  readonly overlap: 'drop' | 'sum';
  /** How long a point may be under way: see PointRules. */
  readonly delayMarginMs: number;
  readonly cors: CorsConfig;
}

export const otlpDefaults: OtlpConfig = {
  maxRequestBytes: 16 * 1024 * 1024,
  maxPoints: 250_000,
  maxSeries: 1_000_000,
  overlap: 'drop',
  delayMarginMs: 30_000,
  cors: { allowedOrigins: [], allowedHeaders: [], maxAgeMs: 600_000 },
};
