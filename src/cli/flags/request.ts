/**
 * From flags to the request they make. What it takes and refuses is said in fields, by whom it is made
 * of; here the fields are flags again.
 */
import { type Mention, RequestRefused } from '../../request/refusal.ts';
import { UsageError } from '../../request/usage-error.ts';
import type { Flag, FlagTable } from './flag.ts';

/** Rows for fields of a request: of a field's own type, or of one that the command makes it of. */
export const asking =
  <Request>() =>
  <F extends keyof Request & string>(
    field: F,
    row: Flag<NonNullable<Request[F]>>,
  ): Flag<NonNullable<Request[F]>> => ({ ...row, field });

/** The fields that flags fill in: of the request that the rows of the table were made for. */
export function requestOf(
  table: FlagTable,
  flags: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const given = Object.entries(table).flatMap(([name, { field }]) =>
    field === undefined || flags[name] === undefined ? [] : [[field, flags[name]] as const],
  );
  return Object.fromEntries(given);
}

/** What `action` refuses, in the words of those who typed flags. */
export async function inFlags<T>(table: FlagTable, action: () => T | Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof RequestRefused)) throw error;
    throw new UsageError(error.said((mention) => flagText(table, mention)));
  }
}

function flagText(table: FlagTable, { field, value }: Mention): string {
  const [name = field, row] = Object.entries(table).find(([, row]) => row.field === field) ?? [];
  if (value === undefined) return `--${name}`;
  return `--${name} ${row?.show?.(value) ?? value}`;
}
