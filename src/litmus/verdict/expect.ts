/**
 * Expected verdicts: a tab-separated file with the columns name, file, base and ets2, and a header
 * row; a column ets3 may be there.
 * An empty cell or `-` expects nothing. A row belongs to a test by its file's name; where that
 * is empty, by the test's name.
 */
import path from 'node:path';
import { type Architecture, ARCHITECTURES } from '../../explore/model/index.ts';
import { LITMUS_VERDICTS, type LitmusVerdict } from '../../result/litmus.ts';
import { LitmusUsageError } from '../files.ts';

export interface Expectations {
  /** Null where nothing is expected. */
  of(file: string, name: string, arch: Architecture): LitmusVerdict | null;
}

export const NO_EXPECTATIONS: Expectations = { of: () => null };

type Row = Readonly<Record<Architecture, LitmusVerdict | null>>;

export function parseExpectations(expectFile: string, text: string): Expectations {
  const lines = text.split(/\r?\n/);
  const header = (lines[0] ?? '').split('\t').map((cell) => cell.trim());
  for (const column of ['name', 'file', ...ARCHITECTURES]) {
    if (!header.includes(column)) {
      throw new LitmusUsageError(
        `${expectFile}:1: expected the tab-separated columns name, file, base and ets2`,
      );
    }
  }
  const byFile = new Map<string, Row>();
  const byName = new Map<string, Row>();
  for (const [i, line] of lines.entries()) {
    if (i === 0 || line.trim() === '') continue;
    const cells = line.split('\t').map((cell) => cell.trim());
    const cell = (column: string): string => cells[header.indexOf(column)] ?? '';
    const row: Row = {
      base: parseVerdict(expectFile, i + 1, cell('base')),
      ets2: parseVerdict(expectFile, i + 1, cell('ets2')),
      ets3: parseVerdict(expectFile, i + 1, cell('ets3')),
    };
    if (cell('file') !== '') byFile.set(path.basename(cell('file')), row);
    else byName.set(cell('name'), row);
  }
  return {
    of: (file, name, arch) => (byFile.get(path.basename(file)) ?? byName.get(name))?.[arch] ?? null,
  };
}

function parseVerdict(file: string, line: number, word: string): LitmusVerdict | null {
  if (word === '' || word === '-') return null;
  const verdict = LITMUS_VERDICTS.find((known) => known === word);
  if (verdict) return verdict;
  throw new LitmusUsageError(
    `${file}:${line}: expected one of ${LITMUS_VERDICTS.join(', ')}, found "${word}"`,
  );
}
