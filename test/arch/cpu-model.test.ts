/** The CPU knobs: what is simulated when nobody says anything, and how it is named. */
import { expect, test } from 'vitest';
import { assert, assertNever } from '../../src/arch/assert.ts';
import { DEFAULT_CPU, describeCpu } from '../../src/arch/cpu-model.ts';

test('describes the default CPU with every knob, in the order of the command line', () => {
  expect(describeCpu(DEFAULT_CPU)).toBe(
    'bbm=1,nt=translate,multihit=abort,spec=off,hafdbs=off,ets=ets2,tlb=256,walkcache=on',
  );
});

test('tells two CPUs apart by any knob', () => {
  const others = [
    { bbm: [2, 1] },
    { nt: 'fault' },
    { multihit: 'old' },
    { spec: true },
    { hafdbs: true },
    { ets: 'none' },
    { tlb: 0 },
    { walkcache: false },
    { tlbi: 'repeat' },
    { hdbss: true },
    { bbmid: 0 },
  ] as const;
  const names = others.map((knob) => describeCpu({ ...DEFAULT_CPU, ...knob }));
  expect(new Set([describeCpu(DEFAULT_CPU), ...names]).size).toBe(others.length + 1);
  expect(names[0]).toContain('bbm=2/1,');
});

test('nobody can change the default for everybody', () => {
  expect(Object.isFrozen(DEFAULT_CPU) && Object.isFrozen(DEFAULT_CPU.bbm)).toBe(true);
});

test('assertions throw, always', () => {
  expect(() => assert(false, 'two and two')).toThrow('assertion failed: two and two');
  expect(() => assert(true, 'never')).not.toThrow();
  expect(() => assertNever('odd' as never)).toThrow('unreachable value: odd');
});
