/** What kind of value an attribute has, in one byte before it. */
export const attributeTags = {
  empty: 0,
  string: 1,
  false: 2,
  true: 3,
  int: 4,
  double: 5,
  bytes: 6,
  array: 7,
  map: 8,
} as const;
