/** `report`: result files as HTML, JUnit XML, KTAP and Markdown. */
import { exitMeaning } from '../../report/exit-meanings.ts';
import { resultTitle } from '../../report/verdict-texts.ts';
import { EXIT, type ExitCode } from '../../result/exit-code.ts';
import type { ResultFile } from '../../result/read.ts';
import type { Command, CommandInput } from '../command.ts';
import { Delivery } from '../files/delivery.ts';
import { checkOutputFile, checkOutputFolder, type OutputFile } from '../files/output-file.ts';
import { readResultFiles } from '../files/result-files.ts';
import type { Terminal } from '../terminal.ts';
import { type Form, FORM_FILES, FORMS, formsOut, formText } from '../files/write-reports.ts';
import { NO_COLOR, OUT, QUIET } from '../flags/common.ts';
import { flag } from '../flags/flag.ts';
import { anyText } from '../../request/values.ts';

const FLAGS = {
  html: flag({
    value: 'FILE',
    help: 'one self-contained page: tables, charts, violations',
    default: 'report.html if no form is named',
    parse: anyText,
  }),
  junit: flag({
    value: 'FILE',
    help: 'JUnit XML, for CI',
    default: 'not written',
    parse: anyText,
  }),
  ktap: flag({
    value: 'FILE',
    help: "KTAP, the kernel's test output",
    default: 'not written',
    parse: anyText,
  }),
  markdown: flag({
    value: 'FILE',
    help: 'a summary in Markdown, for the page of a CI job',
    default: 'not written',
    parse: anyText,
  }),
  out: OUT,
  quiet: QUIET,
  'no-color': NO_COLOR,
};

export async function report(
  input: CommandInput<typeof FLAGS>,
  terminal: Terminal,
): Promise<ExitCode> {
  const { flags, positionals } = input;
  const results = readResultFiles('report', positionals);
  const targets = FORMS.flatMap((form): [Form, OutputFile][] => {
    const name = flags[form];
    return name === undefined ? [] : [[form, checkOutputFile(form, name)]];
  });
  const folder = flags.out === undefined ? null : checkOutputFolder('out', flags.out);
  if (folder === null && targets.length === 0)
    targets.push(['html', checkOutputFile('html', FORM_FILES.html)]);
  const delivery = new Delivery(terminal, flags.quiet ?? false);
  for (const [form, file] of targets) {
    await delivery.file(
      file,
      () => file,
      () => formText(form, results),
    );
  }
  for (const { name, place, make } of folder === null ? [] : formsOut(folder, results)) {
    await delivery.file(name, place, make);
  }
  delivery.text(() => results.map(verdictText).join(''));
  return delivery.end(EXIT.pass);
}

function verdictText(result: ResultFile): string {
  return `${result.verdict.toUpperCase()} ${resultTitle(result)}: ${exitMeaning(result.exitCode)}\n`;
}

export const command: Command<typeof FLAGS> = {
  positionals: { name: '<run.json>…', min: 1, max: Number.POSITIVE_INFINITY },
  about:
    'Makes reports of results written with --json: one HTML file that needs no network (tables, ' +
    'charts, violations and counterexamples as lanes), JUnit XML and KTAP for CI, a Markdown ' +
    `summary. Without flags it writes ${FORM_FILES.html}. Several results stand one after the ` +
    'other, those with errata of TLBI completion also in one table; merge makes one of them. The ' +
    'exit code says whether the reports were written; the verdicts are in them.',
  examples: [
    { command: 'report -- run.json', why: `${FORM_FILES.html} in this folder` },
    {
      command: 'report -- stress.json explore.json --out site',
      why: 'every form, into one folder',
    },
    {
      command: 'report -- run.json --junit junit.xml --markdown summary.md',
      why: 'for CI: test results and a summary page',
    },
  ],
  flags: FLAGS,
  run: (input, terminal) => report(input, terminal),
};
