/** `doctor`: this machine, and what no run on it can show. */
import type { DoctorOptions } from '../../doctor/index.ts';
import { doctorText } from '../../report/text/doctor-text.ts';
import type { DoctorResult } from '../../result/doctor.ts';
import type { ExitCode } from '../../result/exit-code.ts';
import { type Command, type CommandInput, NO_POSITIONALS } from '../command.ts';
import { Delivery, jsonTarget, STANDARD_OUTPUT } from '../files/delivery.ts';
import { showText } from '../progress.ts';
import type { Terminal } from '../terminal.ts';
import { packageVersion } from '../../result/version.ts';
import { JSON_INSTEAD, NO_COLOR } from '../flags/common.ts';

const FLAGS = { json: JSON_INSTEAD, 'no-color': NO_COLOR };

export async function doctor(
  { flags, argv }: CommandInput<typeof FLAGS>,
  terminal: Terminal,
  examine: (options: DoctorOptions) => Promise<DoctorResult>,
): Promise<ExitCode> {
  const json = jsonTarget(flags.json);
  const progress = showText(terminal.progress);
  const result = await examine({
    argv,
    version: packageVersion(),
    onProgress: (text) => progress.update(`looking at: ${text}`),
  });
  progress.clear();
  const delivery = new Delivery(terminal, false);
  await delivery.json(json, result);
  if (json !== STANDARD_OUTPUT) delivery.text(() => doctorText(result, terminal));
  return delivery.end(result.exitCode);
}

export const command: Command<typeof FLAGS> = {
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
  flags: FLAGS,
  run: async (input, terminal) =>
    doctor(input, terminal, (await import('../../doctor/index.ts')).examine),
};
