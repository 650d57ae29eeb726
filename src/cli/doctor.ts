/** `doctor`: this machine, and what no run on it can show. */
import type { DoctorOptions } from '../doctor/index.ts';
import { doctorText } from '../report/doctor-text.ts';
import { formatJson } from '../report/json.ts';
import type { DoctorResult } from '../result/doctor.ts';
import type { ExitCode } from '../result/exit-code.ts';
import { type Command, type CommandInput, NO_POSITIONALS } from './command.ts';
import { checkOutputFile, writeWhole } from './output-file.ts';
import { showText } from './progress.ts';
import type { Terminal } from './terminal.ts';
import { packageVersion } from './version.ts';

export async function doctor(
  { flags, argv }: CommandInput,
  terminal: Terminal,
  examine: (options: DoctorOptions) => Promise<DoctorResult>,
): Promise<ExitCode> {
  const target = flags['list-json'];
  const file = target === undefined || target === '' ? null : checkOutputFile('json', target);
  const progress = showText(terminal.progress);
  const result = await examine({
    argv,
    version: packageVersion(),
    onProgress: (text) => progress.update(`looking at: ${text}`),
  });
  progress.clear();
  if (file !== null) writeWhole(file, formatJson(result));
  terminal.out(target === '' ? formatJson(result) : doctorText(result, terminal));
  return result.exitCode;
}

export const command: Command = {
  positionals: NO_POSITIONALS,
  about:
    'Looks at this machine for about ten seconds: cores, quota and hyperthreads, whether threads ' +
    'can be pinned, the clock, whether the vCPU loop is compiled, whether store buffering shows and ' +
    'plain 64-bit moves tear, garbage collections in a short run, memory; and says in words what no ' +
    'run here can show. Exit 4 if stress cannot do its work here at all.',
  examples: [
    { command: 'doctor', why: 'before the first long run on a machine' },
    { command: '--silent doctor -- --json', why: 'for a program; --json FILE writes a file' },
  ],
  run: async (input, terminal) =>
    doctor(input, terminal, (await import('../doctor/index.ts')).examine),
};
