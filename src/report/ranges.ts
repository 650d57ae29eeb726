/** Sentences that differ in their numbers only, said once with the range of each number. */
const NUMBER = /\d+/g;

/** What is left of a sentence that others with other numbers share. */
export const withoutNumbers = (text: string): string => text.replaceAll(NUMBER, '#');

/** `of 2 rounds`, `of 5 rounds` and `of 3 rounds` are `of 2 to 5 rounds`. */
export function inRanges(texts: readonly string[]): string[] {
  return [...Map.groupBy(texts, withoutNumbers).values()].map((same) => {
    const numbers = same.map((text) => (text.match(NUMBER) ?? []).map(Number));
    let at = 0;
    return (same[0] ?? '').replaceAll(NUMBER, () => {
      const values = numbers.map((all) => all[at] as number);
      at++;
      const [least, most] = [Math.min(...values), Math.max(...values)];
      return least === most ? String(least) : `${least} to ${most}`;
    });
  });
}
