// Spans of time as statements are given them.

/** Milliseconds in a parameter, as an interval. */
export const span = (parameter: string): string =>
  `${parameter}::float8 * interval '1 millisecond'`;
