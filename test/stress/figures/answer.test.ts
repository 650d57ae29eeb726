/** What a protocol costs, from its source and its traces. */
import { describe, expect, test } from 'vitest';
import { linesOf, needsOf } from '../../../src/stress/figures/answer.ts';
import { PROTOCOLS } from '../../../src/protocols/index.ts';
import type { TransitionTrace } from '../../../src/port/trace.ts';
import { NT, VALID } from '../../../src/arch/descriptor.ts';

describe('lines', () => {
  test.each<[number, string]>([
    [0, 'run() {}'],
    [1, 'run(cpu) { cpu.isb(); }'],
    [2, 'run(cpu, t) {\n  // why\n  cpu.isb();\n\n  if (t) {\n  }\n  /* a\n     b */\n}'],
    [3, 'run(cpu) {\n  if (x) {\n    a();\n  }\n  b(); // trailing\n}'],
  ])('%i in %j', (lines, source) => {
    expect(linesOf(source)).toBe(lines);
  });

  test('of the built-in ones: more than none, fewer than a screen', () => {
    const lines = PROTOCOLS.map((protocol) => linesOf(protocol.run.toString()));
    expect(Math.min(...lines)).toBeGreaterThan(0);
    expect(Math.max(...lines)).toBeLessThan(30);
  });
});

const TABLE = 0x1000n | 3n;
const BLOCK = 0x20_0000n | VALID;

function trace(
  old: bigint,
  values: readonly bigint[],
  tlbi: string | null = null,
): TransitionTrace {
  const events = values.map((value) => ({ op: 'write', order: 'plain', entry: 'target', value }));
  const flush = tlbi === null ? [] : [{ op: 'tlbi', tlbi: { kind: tlbi } }];
  return { level: 2, old, events: [...events, ...flush] } as unknown as TransitionTrace;
}

describe('features', () => {
  const needs = (...traces: TransitionTrace[]): readonly string[] => needsOf({}, traces);

  test('break-before-make needs none', () => {
    expect(needs(trace(TABLE, [TABLE & ~VALID, BLOCK], 'vmalls12e1is'))).toEqual([]);
  });

  test('nT is level 1, on the way in and on the way out', () => {
    expect(needs(trace(TABLE, [BLOCK | NT, BLOCK]))).toEqual(['FEAT_BBM level 1']);
    expect(needs(trace(BLOCK, [BLOCK | NT, TABLE]))).toEqual(['FEAT_BBM level 1']);
    expect(needs(trace(TABLE, [TABLE & ~VALID, BLOCK | NT, BLOCK]))).toEqual(['FEAT_BBM level 1']);
  });

  test('table to block in one store is level 2', () => {
    expect(needs(trace(TABLE, [BLOCK]))).toEqual(['FEAT_BBM level 2']);
    expect(needs(trace(BLOCK, [TABLE]))).toEqual(['FEAT_BBM level 2']);
    expect(needs(trace(TABLE, [BLOCK | NT, BLOCK]), trace(TABLE, [BLOCK]))).toEqual([
      'FEAT_BBM level 2',
    ]);
  });

  test('what it was written for may be more', () => {
    const direct = trace(TABLE, [BLOCK]);
    expect(needsOf({ cpu: { bbm: [3] } }, [direct])).toEqual(['FEAT_BBM level 3']);
    expect(needsOf({ cpu: { bbm: [2, 3] } }, [direct])).toEqual(['FEAT_BBM level 2']);
  });

  test('a TLBI by range', () => {
    expect(needs(trace(BLOCK, [], 'ripas2e1is'))).toEqual(['FEAT_TLBIRANGE']);
    expect(needs(trace(BLOCK, [], 'ipas2e1is'))).toEqual([]);
  });
});
