/**
 * What a flag is. A command has a table of its own, by long names without dashes, from which its words
 * are parsed, its help is printed and tests are made: to add a flag add a row there.
 */

export interface Flag<T> {
  /** Value syntax for help; null for a switch. */
  readonly value: string | null;
  /** The value may be left out, and is `-` then. */
  readonly valueOptional?: true;
  readonly help: string;
  /** What holds without the flag, for help. */
  readonly default: string;
  /** May be given more than once; the lists are joined. */
  readonly repeatable?: true;
  readonly parse: (text: string) => T;
  /** The field of the request that it fills in (../../request), where it is for one. */
  readonly field?: string;
  /** A value as one would type it, where that is not how it is printed. */
  show?(value: T): string;
}

export type FlagTable = Readonly<Record<string, Flag<unknown>>>;

/** The flags a user gave, by name. */
export type FlagsOf<Table extends FlagTable> = {
  readonly [Name in keyof Table]?: Table[Name] extends Flag<infer T> ? T : never;
};

export const flag = <T>(row: Flag<T>): Flag<T> => row;

export const switched = (row: Pick<Flag<true>, 'help'> & Partial<Flag<true>>): Flag<true> => ({
  value: null,
  default: 'off',
  parse: () => true,
  ...row,
});
