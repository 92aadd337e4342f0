/**
 * What a point of an exponential histogram was shown with. Under one start time it is not shown finer again, whatever its series hold by then: that would be other
 * buckets, which counts had not been in.
 */
export interface ShownShape {
  /** Its place in its stream. */
  readonly point: number;
  readonly scale: number;
  readonly zeroThreshold: number;
}
