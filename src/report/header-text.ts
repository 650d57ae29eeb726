/** The top of a report: the machine, how to run the same again, and whether the checker was seen to fail. */
import type { MachineInfo } from '../result/machine-info.ts';
import type { ControlResult, StressResult } from '../result/stress.ts';
import type { Paint } from './paint.ts';
import { significant } from './numbers.ts';
import { alignColumns } from './table.ts';

export function headerLines(result: StressResult, paint: Paint): string[] {
  const notes = result.machine.notes.map((note) => ['', note]);
  return [
    ...alignColumns([
      ['machine', machineText(result.machine)],
      ...notes,
      ['seed', String(result.seed)],
      ['repeat', repeatCommand(result)],
    ]),
    '',
    ...controlLines(result.controls, paint),
  ];
}

function machineText(m: MachineInfo): string {
  const cpus = `${m.cpus} CPU${m.cpus === 1 ? '' : 's'}`;
  return `${cpus}, ${m.model.trim()}, ${m.arch}, Node ${m.node} (V8 ${m.v8}), kernel ${m.kernel}`;
}

/** The arguments as they were given, with the seed that was used in place of any that was asked for. */
export function repeatCommand({ command, argv, seed }: Pick<StressResult, 'command' | 'argv' | 'seed'>): string {
  const kept = argv.filter((arg, i) => arg !== '--seed' && argv[i - 1] !== '--seed' && !arg.startsWith('--seed='));
  return [`npm run ${command} --`, ...kept.map(quoted), '--seed', String(seed)].join(' ');
}

function quoted(arg: string): string {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", String.raw`'\''`)}'`;
}

function controlLines(controls: readonly ControlResult[], paint: Paint): string[] {
  if (controls.length === 0) return ['controls: none ran, so nothing shows that the checker can fail'];
  const rows = controls.map((control) => [
    `  ${control.caught ? 'caught' : 'MISSED'}`,
    control.name,
    control.rule,
    control.twinClean ? 'correct twin clean' : 'correct twin ACCUSED',
    `${significant(control.seconds)} s`,
    control.detail,
  ]);
  const painted = alignColumns(rows).map((line, i) => {
    const control = controls[i] as ControlResult;
    return control.caught && control.twinClean ? line : paint('red', line);
  });
  return ['controls: seeded bugs the checker must catch, beside their correct twins', ...painted];
}
