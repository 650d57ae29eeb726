/** Answers to a name that does not exist: the nearest one that does, or all of them. */

/** Edits that turn `a` into `b`: insert, delete, replace a letter, or swap two neighbours. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) best = Math.min(best, at(beforeLast, j - 2) + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] as number;
}

/**
 * The nearest of `names`, unless none is near: more than a third of the letters wrong is another
 * word.
 */
export function nearest(name: string, names: readonly string[]): string | null {
  const word = name.toLowerCase();
  let best: string | null = null;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of names) {
    const distance = editDistance(word, candidate.toLowerCase());
    if (distance >= least) continue;
    best = candidate;
    least = distance;
  }
  return best ?? names.find((n) => word.length >= 2 && n.startsWith(word)) ?? null;
}

/** `(did you mean bbm-late?)`, or every name there is. */
export function suggestion(name: string, names: readonly string[]): string {
  const near = nearest(name, names);
  return near === null ? `(there are ${names.join(', ')})` : `(did you mean ${near}?)`;
}
