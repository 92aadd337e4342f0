/** An AnyValue as the loader has it: at most one of the fields is set, none is the empty value. 64-bit integers are decimal strings. */
export interface AnyValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string;
  readonly doubleValue?: number;
  readonly arrayValue?: { readonly values: readonly AnyValue[] };
  readonly kvlistValue?: { readonly values: readonly KeyValue[] };
  readonly bytesValue?: Uint8Array;
}

/** One attribute. Without a value it is the empty value. */
export interface KeyValue {
  readonly key: string;
  readonly value: AnyValue | null;
}
