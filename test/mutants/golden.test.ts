/**
 * What the explorer says of every mutant that it must catch, word for word: golden files, to be read
 * by people, in `golden/`. After a change that is meant, `GOLDEN=write npx vitest run test/mutants`,
 * and read the difference.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { formatSchedule } from '../../src/report/text/schedule-text.ts';
import type { ExploreRun } from '../../src/result/explore.ts';
import { EXPLORED, explored, type Explored, namingViolation } from './subjects.ts';

const FOLDER = new URL('golden/', import.meta.url);

/** The violation that names the bug, as `explore` prints it. */
function report(subject: Explored, run: ExploreRun): string {
  const { mutant, level } = subject;
  const violation = namingViolation(subject, run);
  if (violation === null) throw new Error(`${mutant.name} was not caught as its catalogue says`);
  const { rule, why, by, steps } = violation;
  const { bbm, nt, multihit } = run.cpu;
  return [
    `${mutant.name}: ${mutant.what}`,
    `${mutant.twin} with one bug, level ${level}, bbm=${bbm} nt=${nt} multihit=${multihit}`,
    '',
    `VIOLATION ${rule} (shown by ${by === 'schedule' ? 'a schedule' : 'the operations'}): ${why}`,
    formatSchedule(steps),
    '',
  ].join('\n');
}

/** What the file says; with GOLDEN=write it is made to say `text`. */
function golden(name: string, text: string): string {
  const file = new URL(`${name}.txt`, FOLDER);
  if (process.env.GOLDEN === 'write') writeFileSync(file, text);
  return readFileSync(file, 'utf8');
}

describe('what the explorer says of', () => {
  it.each(EXPLORED.map((subject) => [subject.mutant.name, subject] as const))(
    '%s',
    (name, subject) => {
      const run = explored(subject, subject.protocol);
      expect(run.stoppedBy).toBeNull();
      expect(run.verdict).toBe('violated');
      const text = report(subject, run);
      expect(text).toBe(golden(name, text));
    },
  );
});

test('there is no golden file of anything else', () => {
  const names = EXPLORED.map(({ mutant }) => `${mutant.name}.txt`);
  expect(readdirSync(FOLDER).toSorted()).toEqual(names.toSorted());
});
