// The hint at the end of "unknown name" errors.

const distanceMax = 2;

/** ", did you mean 'x'?" for the nearest of the known names, or nothing if none is near. */
export function didYouMean(name: string, known: Iterable<string>): string {
  let best: string | undefined;
  let bestDistance = distanceMax + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) > distanceMax) continue;
    const distance = editDistance(name.toLowerCase(), candidate);
    if (distance < bestDistance && distance < candidate.length) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best === undefined ? "" : `, did you mean '${best}'?`;
}

/** The number of letters to insert, delete, replace or swap with their neighbour. */
function editDistance(from: string, to: string): number {
  const rows: number[][] = [];
  const cell = (row: number, column: number): number =>
    row < 0 || column < 0 ? Number.POSITIVE_INFINITY : (rows[row]?.[column] ?? 0);
  for (let row = 0; row <= from.length; row++) {
    rows.push([]);
    for (let column = 0; column <= to.length; column++) {
      rows[row]?.push(nearest(row, column));
    }
  }
  return cell(from.length, to.length);

  function nearest(row: number, column: number): number {
    if (row === 0 || column === 0) return row + column;
    const same = from.charAt(row - 1) === to.charAt(column - 1);
    const swapped =
      row > 1 &&
      column > 1 &&
      from.charAt(row - 1) === to.charAt(column - 2) &&
      from.charAt(row - 2) === to.charAt(column - 1);
    return Math.min(
      cell(row - 1, column) + 1,
      cell(row, column - 1) + 1,
      cell(row - 1, column - 1) + (same ? 0 : 1),
      swapped ? cell(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
    );
  }
}
