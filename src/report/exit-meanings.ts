/** What each exit code means, in words for help and for the last line of a report. */
import { EXIT, type ExitCode } from '../result/exit-code.ts';

export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  pass: 'every check passed',
  fail: 'a rule was violated, a litmus verdict disagreed, or a mutant survived',
  usage:
    'bad input: one line on standard error says what would be right; nothing ran or was written',
  inconclusive:
    'inconclusive: nothing ran, the control no-tlbi was missed, or a bound ended what must finish',
  impossible: 'not possible on this machine',
  internal: 'a protocol threw or did not return, a thread died or hung, or an internal error',
  interrupted: 'interrupted; what was done until then is reported',
};

export function exitMeaning(code: ExitCode): string {
  const names = Object.keys(EXIT) as readonly (keyof typeof EXIT)[];
  return EXIT_MEANINGS[names.find((name) => EXIT[name] === code) as keyof typeof EXIT];
}

/** `  0  every check passed`, one line each. */
export function exitCodeLines(): readonly string[] {
  return (Object.keys(EXIT) as (keyof typeof EXIT)[]).map((name) => {
    const outranks = name === 'fail' ? ' (outranks all others)' : '';
    return `${String(EXIT[name]).padStart(5)}  ${EXIT_MEANINGS[name]}${outranks}`;
  });
}
