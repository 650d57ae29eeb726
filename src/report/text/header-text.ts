/**
 * The top of a report: the machine, how to run the same again, and whether the checker was seen to
 * fail.
 */
import { commandLine, shellWord } from '../../package/command-line.ts';
import type { ResultHeader } from '../../result/header.ts';
import type { MachineInfo } from '../../result/machine-info.ts';
import type { ControlResult, StressResult } from '../../result/stress.ts';
import type { Paint } from '../paint.ts';
import { counted, seconds, significant } from '../numbers.ts';
import { alignColumns } from '../table.ts';
import { wrap } from '../wrap.ts';

const DETAIL_INDENT = ' '.repeat(10);

export function headerLines(result: StressResult, columns: number, paint: Paint): string[] {
  const notes = result.machine.notes.map((note) => ['', note]);
  return [
    ...alignColumns([
      ['machine', machineText(result.machine)],
      ...notes,
      ['seed', String(result.seed)],
      ['repeat', repeatCommand(result)],
      ...startLines(result),
      ...partLines(result),
    ]),
    '',
    ...controlLines(result.controls, columns, paint),
  ];
}

/** Nothing where every configuration was started once. */
function startLines({ runs }: StressResult): string[][] {
  const starts = new Set(runs.map(({ repeats = 1 }) => repeats));
  if (Math.max(1, ...starts) === 1) return [];
  const times = [...starts].sort((a, b) => a - b).join(' or ');
  return [['started', `${times} times each, with new threads; intervals cover what differs`]];
}

/** How a campaign that was resumed came about; nothing of one that is of one piece. */
function partLines({ campaign }: StressResult): string[][] {
  const parts = campaign?.parts ?? [];
  if (parts.length < 2) return [];
  return parts.map(({ startedAt, elapsedMs, exitCode }, i) => [
    i === 0 ? 'parts' : '',
    `${startedAt}  ${seconds(elapsedMs)}, exit ${exitCode}`,
  ]);
}

export function machineText(m: MachineInfo): string {
  const cpus = counted(m.cpus, 'CPU');
  return `${cpus}, ${m.model.trim()}, ${m.arch}, Node ${m.node} (V8 ${m.v8}), kernel ${m.kernel}`;
}

/** A result, as far as the command that repeats it is concerned. */
interface Repeatable extends Pick<ResultHeader<string>, 'command' | 'argv'> {
  /** Null where nothing is drawn by chance. */
  readonly seed: number | null;
  readonly runs?: readonly object[];
}

/** The arguments as they were given, with the seed that was used in place of any that was asked for. */
export function repeatCommand(result: Repeatable): string {
  const { command, argv, seed } = result;
  const kept = argv.filter(
    (arg, i) => arg !== '--seed' && argv[i - 1] !== '--seed' && !arg.startsWith('--seed='),
  );
  // Nothing in a benchmark is drawn by chance, and it takes no seed.
  const isSeeded = seed !== null && command !== 'bench';
  const seeded = isSeeded ? ['--seed', String(seed)] : [];
  const typed = isOfKernel(result) ? 'kernel' : command;
  return commandLine([`${typed} --`, ...kept.map(shellWord), ...seeded].join(' '));
}

/** `kernel` makes results of `explore`, which is given a tree by a flag. */
function isOfKernel({ command, argv, runs = [] }: Repeatable): boolean {
  const isFlag = argv.some((arg) => arg === '--kernel' || arg.startsWith('--kernel='));
  return command === 'explore' && !isFlag && runs.some((run) => 'kernel' in run);
}

function controlLines(controls: readonly ControlResult[], columns: number, paint: Paint): string[] {
  if (controls.length === 0)
    return ['controls: none ran, so nothing shows that the checker can fail'];
  const rows = controls.map((control) => [
    `  ${control.caught ? 'caught' : 'MISSED'}`,
    control.name,
    control.rule,
    control.twinClean ? 'correct twin clean' : 'correct twin ACCUSED',
    `${significant(control.seconds)} s`,
  ]);
  const heading = 'controls: seeded bugs the checker must catch, beside their correct twins';
  return [heading, ...alignColumns(rows).flatMap((line, i) => withDetail(line, controls[i]))];

  function withDetail(line: string, control: ControlResult | undefined): string[] {
    const held = control?.caught && control.twinClean;
    const detail = control?.detail ? wrap(control.detail, columns - DETAIL_INDENT.length) : [];
    return [held ? line : paint('red', line), ...detail.map((part) => DETAIL_INDENT + part)];
  }
}
