/** The correct protocol that each mutant was made from is safe where the mutant is caught. */
import { describe, expect, it } from 'vitest';
import { describeCpu } from '../../src/arch/cpu-model.ts';
import { EXPLORED, explored, type Explored } from './subjects.ts';

const keyOf = ({ twin, cpu, level }: Explored): string =>
  `${twin.name}, level ${level}, ${describeCpu(cpu)}`;

/** Mutants share twins: each pair of twin and CPU once. */
const DISTINCT = new Map(EXPLORED.map((subject) => [keyOf(subject), subject]));

describe('safe in every execution', () => {
  it.each([...DISTINCT])('%s', (_, subject) => {
    const run = explored(subject, subject.twin);
    expect(run.violations).toEqual([]);
    expect(run.verdict).toBe('safe');
    expect(run.executions).toBeGreaterThan(0);
  });
});
