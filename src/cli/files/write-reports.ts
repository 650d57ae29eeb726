/**
 * Every form of report of some results, to files. Forms are loaded when they are asked for: charts
 * bring a drawing library along that no other command should wait for.
 */
import path from 'node:path';
import { formatJson } from '../../report/json.ts';
import type { ResultFile } from '../../result/read.ts';
import { checkOutputFolder, fileIn, type OutputFile, type OutputFolder } from './output-file.ts';

export const FORMS = ['html', 'junit', 'ktap', 'markdown'] as const;
export type Form = (typeof FORMS)[number];

/** What the files of `--out DIR` are called. */
export const FORM_FILES: Readonly<Record<Form, string>> = {
  html: 'report.html',
  junit: 'junit.xml',
  ktap: 'results.ktap',
  markdown: 'summary.md',
};
const JSON_FILE = 'results.json';

const RENDER: Readonly<Record<Form, () => Promise<(results: readonly ResultFile[]) => string>>> = {
  html: async () => (await import('../../report/html/page.ts')).htmlReport,
  junit: async () => (await import('../../report/cases/junit.ts')).junitReport,
  ktap: async () => (await import('../../report/cases/ktap.ts')).ktapReport,
  markdown: async () => (await import('../../report/cases/markdown.ts')).markdownReport,
};

export async function formText(form: Form, results: readonly ResultFile[]): Promise<string> {
  const render = await RENDER[form]();
  return render(results);
}

/** A file that is to be written: the folder is made when its place is asked for, if it must be. */
export interface FileOut {
  readonly name: string;
  readonly place: () => OutputFile;
  readonly make: () => string | Promise<string>;
}

/** All forms into one folder. */
export function formsOut(folder: OutputFolder, results: readonly ResultFile[]): FileOut[] {
  return FORMS.map((form) => ({
    name: path.join(folder, FORM_FILES[form]),
    place: () => fileIn(folder, FORM_FILES[form]),
    make: () => formText(form, results),
  }));
}

/** `--out DIR` of a command that made a result: where it goes, known before anything runs. */
export function outFolder(text: string | undefined): OutputFolder | null {
  return text === undefined ? null : checkOutputFolder('out', text);
}

/** Where `--out DIR` has the result as JSON. Makes the folder if it must. */
export function jsonIn(folder: OutputFolder): OutputFile {
  return fileIn(folder, JSON_FILE);
}

/** The result as JSON and in every form of report. */
export function filesOut(folder: OutputFolder, result: ResultFile): FileOut[] {
  const json = {
    name: path.join(folder, JSON_FILE),
    place: () => jsonIn(folder),
    make: () => formatJson(result),
  };
  return [json, ...formsOut(folder, [result])];
}
