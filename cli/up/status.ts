/** What `streamgauge up` shows: a snapshot. Counts go up from the start; rates are made from two snapshots. */
export interface UpStatus {
  /** By a monotonic clock, milliseconds. */
  readonly timeMs: number;
  /** Since the start, milliseconds. */
  readonly uptimeMs: number;
  /** `HOST:PORT`. */
  readonly addresses: { readonly grpc: string; readonly http: string; readonly admin: string };
  /** Agents with an open stream. */
  readonly agents: number;
  /** Series that agents report, and series that leave. */
  readonly seriesIn: number;
  readonly seriesOut: number;
  /** Points taken in since the start, unchanged ones included. */
  readonly points: number;
  /** Bytes of the streams on the wire since the start. */
  readonly wireBytes: number;
  readonly readers: readonly ReaderStatus[];
  readonly host: readonly HostMetric[];
}

export interface ReaderStatus {
  readonly name: string;
  /** Where it sends or what it serves, without secrets. */
  readonly target: string;
  /**
   * - `waiting`: no export has ended yet.
   * - `ok`: the last export was delivered.
   * - `failing`: it was not; `error` says why.
   */
  readonly state: 'waiting' | 'ok' | 'failing';
  /** Points delivered since the start. */
  readonly points: number;
  /** Points given up since the start. */
  readonly droppedPoints: number;
  /** Empty when there is none. */
  readonly error: string;
}

/** One of the host's own metrics. */
export interface HostMetric {
  readonly label: string;
  /** `level`: the value is shown; `total`: it goes up, and its rate is shown. */
  readonly kind: 'level' | 'total';
  readonly value: number;
  /** `1`: a part of one, shown in percent; `By`: bytes; empty: a number. */
  readonly unit: '1' | 'By' | '';
}
