/**
 * The sequences of judged logs as `.seq` files: steps of one entry, one a line, in the words that
 * explore and stress take.
 *
 * A log does not tell where a table page came from or went to. So a split begins with the table's
 * allocation and a coalesce ends with the old table's release, where a correct kernel has them.
 */
import type { SeenSequence, TraceRun } from '../result/check-trace.ts';
import { visibleLine } from './visible.ts';

export interface SequenceFile {
  /** In the folder. */
  readonly name: string;
  readonly text: string;
}

export function sequenceFiles(runs: readonly TraceRun[]): SequenceFile[] {
  const names = new Set<string>();
  return runs.flatMap(({ file, sequences }) =>
    sequences.map((sequence, i) => {
      const base = `${baseOf(file)}-${sequence.kind}-${i + 1}`;
      let name = `${base}.seq`;
      for (let n = 2; names.has(name); n++) name = `${base}-${n}.seq`;
      names.add(name);
      return { name, text: sequenceText(file, sequence) };
    }),
  );
}

function lastPart(file: string): string {
  return file.split(/[/\\]/).at(-1) ?? file;
}

function baseOf(file: string): string {
  const bare = lastPart(file)
    .replace(/(?:\.(?:log|trace|txt|gz))+$/i, '')
    .replaceAll(/[^\w.-]+/g, '-');
  return bare === '' ? 'log' : bare;
}

function sequenceText(file: string, { kind, level, steps, count }: SeenSequence): string {
  const used = count === 1 ? 'used once' : `used ${count} times`;
  const lines = [
    `# ${kind} of an entry of level ${level}, ${used} in ${visibleLine(lastPart(file))}`,
    ...(kind === 'split'
      ? [
          'split:',
          '# The log does not tell when the table was made: before it is linked.',
          'alloc child',
        ]
      : []),
    ...steps,
    ...(kind === 'coalesce'
      ? ['# The log does not tell when the old table was freed: after all this.', 'free child']
      : []),
  ];
  return `${lines.join('\n')}\n`;
}
