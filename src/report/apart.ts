/** Headings of columns that name a configuration each: what tells them apart, and the rest said once. */

export interface Apart {
  /** What all have. */
  readonly common: string;
  /** What most have, and those that do not say so. */
  readonly usual: string;
  /** What is left; `verdict` where that is nothing. */
  readonly titles: readonly string[];
}

export function apart(heads: readonly string[]): Apart {
  const words = heads.map((head) => head.split(/,? (?=\S+=|level )|, /));
  const [first = []] = words;
  const common = first.filter((word) => words.every((own) => own.includes(word)));
  const rest = words.map((own) => own.filter((word) => !common.includes(word)));
  const usual = usualWords(rest);
  const short = rest.map((own) => own.filter((word) => !usual.includes(word)));
  // A heading has to say something.
  const isEnough = short.every((own) => own.length > 0);
  return {
    common: common.join(', '),
    usual: isEnough ? usual.join(', ') : '',
    titles: (isEnough ? short : rest).map((own) => (own.length === 0 ? 'verdict' : own.join(' '))),
  };
}

/** Of what every heading has a value for, the value of more than half of them. */
function usualWords(words: readonly (readonly string[])[]): string[] {
  const counts = new Map<string, number>();
  for (const word of words.flat()) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].flatMap(([word, count]) => {
    const hasEvery = words.every((own) => own.some((other) => keyOf(other) === keyOf(word)));
    return hasEvery && count * 2 > words.length ? [word] : [];
  });
}

/** `nt=fault` is about nt, `level 2` about the level, `2 vCPUs` about their number. */
function keyOf(word: string): string {
  const [name = '', value] = word.split('=');
  return value === undefined ? word.replaceAll(/\d+/g, '').replace(/s$/, '').trim() : name;
}
