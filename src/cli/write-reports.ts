/**
 * Every form of report of some results, to files. Forms are loaded when they are asked for: charts
 * bring a drawing library along that no other command should wait for.
 */
import { formatJson } from '../report/json.ts';
import type { ResultFile } from '../result/read.ts';
import {
  checkOutputFolder,
  fileIn,
  type OutputFile,
  type OutputFolder,
  writeWhole,
} from './output-file.ts';
import { shortPath } from './paths.ts';

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
  html: async () => (await import('../report/html/page.ts')).htmlReport,
  junit: async () => (await import('../report/junit.ts')).junitReport,
  ktap: async () => (await import('../report/ktap.ts')).ktapReport,
  markdown: async () => (await import('../report/markdown.ts')).markdownReport,
};

export async function writeForm(
  form: Form,
  file: OutputFile,
  results: readonly ResultFile[],
): Promise<void> {
  const render = await RENDER[form]();
  writeWhole(file, render(results));
}

/** All forms into one folder. */
export async function writeForms(
  folder: OutputFolder,
  results: readonly ResultFile[],
): Promise<void> {
  for (const form of FORMS) await writeForm(form, fileIn(folder, FORM_FILES[form]), results);
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
export async function writeOut(folder: OutputFolder, result: ResultFile): Promise<void> {
  writeWhole(jsonIn(folder), formatJson(result));
  await writeForms(folder, [result]);
}

export function writtenText(file: string): string {
  return `wrote ${shortPath(file)}\n`;
}
