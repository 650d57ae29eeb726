/** How long does the litmus suite of this repository take? Both architectures, from text to verdict. */
import { readdirSync, readFileSync } from 'node:fs';
import { ARCHITECTURES } from '../src/explore/model/index.ts';
import { runFile } from '../src/litmus/run.ts';
import { NO_EXPECTATIONS } from '../src/litmus/verdict/expect.ts';
import { answer } from './answer.ts';
import type { Question, Subject } from './question.ts';
import { rateOf } from './rate.ts';

const FOLDER = new URL('../test/litmus/own/', import.meta.url);

export const question: Question = {
  name: 'litmus-suite',
  asks: 'litmus tests, each on both architectures',
  unit: 'tests/s',
  variants: ['litmus-suite'],
  hasPeer: false,
  aim: null,
  open: openSuite,
  conclude: (runs) => {
    const tests = suite().length;
    return runs
      .map(({ ours }) => `litmus-suite: ${tests} tests in ${((tests / ours) * 1000).toFixed(0)} ms`)
      .join('; ');
  },
};

interface Source {
  readonly file: string;
  readonly text: string;
}

function suite(): readonly Source[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.litmus'))
    .map((file) => ({ file, text: readFileSync(new URL(file, FOLDER), 'utf8') }));
}

function openSuite(): Subject {
  const sources = suite();
  const options = { arch: ARCHITECTURES };
  function all(): void {
    for (const { file, text } of sources) {
      for (const { verdict } of runFile(file, text, NO_EXPECTATIONS, options)) {
        if (verdict === 'unsupported') throw new Error(`${file} was not run`);
      }
    }
  }
  return { sample: (ms) => rateOf(all, sources.length, ms), close: () => {} };
}

if (import.meta.main) await answer(question, import.meta.url);
