/** What a trial of a protocol has to say, as plain data that crosses threads. */
import type { BlockLevel } from '../arch/geometry.ts';
import type { Rule } from '../result/rule.ts';

/** Where in a file. The line counts from 1, and is null where it cannot be found out. */
export interface Place {
  readonly file: string;
  readonly line: number | null;
}

export interface Word {
  readonly protocol: string;
  /**
   * `unusable`: no thread may run it. `violation`: of `rule`. `remark`: true of the explorer's small
   * machine alone, or of what no rule forbids.
   */
  readonly kind: 'unusable' | 'violation' | 'remark';
  readonly rule: Rule | null;
  readonly level: BlockLevel | null;
  readonly place: Place;
  /** One sentence: what is wrong, and what would be right. */
  readonly text: string;
}

/** `/home/me/mine.ts:12: protocol mine …` */
export function wordLine(
  { place, text }: Word,
  shown: (file: string) => string = (file) => file,
): string {
  const line = place.line === null ? '' : `:${place.line}`;
  return `${shown(place.file)}${line}: ${text}`;
}
