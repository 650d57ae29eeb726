/** `doctor` as a user runs it. */
import { expect, test } from 'vitest';
import type { DoctorResult } from '../../src/result/doctor.ts';
import { program } from './program.ts';

test('looks at every part of this machine', () => {
  const seen = program(['doctor', '--json']);
  const result = JSON.parse(seen.out) as DoctorResult;
  expect(result.command).toBe('doctor');
  expect(result.exitCode).toBe(seen.code);
  expect(seen.code).toBe(result.reasons.length === 0 ? 0 : 4);
  const { facts } = result;
  expect(facts.cores.usable).toBeGreaterThan(0);
  expect(facts.clock.readNs).toBeGreaterThan(0);
  expect(facts.tiers).toMatchObject({ why: null });
  expect(facts.tiers.interpretedNs ?? 0).toBeGreaterThan(facts.tiers.optimisedNs ?? Infinity);
  expect(facts.collections).toHaveProperty('cycles');
  expect(facts.memory.neededBytes).toBeLessThan(facts.memory.totalBytes);
  expect(result.cannotShow.length).toBeGreaterThan(0);
  expect(facts.ordering?.storeBufferingAtomics.seen ?? 0).toBe(0);
});

test('takes no other flag', () => {
  const seen = program(['doctor', '--time', '5s']);
  expect(seen.code).toBe(2);
  expect(seen.err.trimEnd().split('\n')).toHaveLength(1);
});
