/** Tokens: short, whole or refused, and telling. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_CPU } from '../../../src/arch/cpu-model.ts';
import type { BbmLevel } from '../../../src/arch/feat-bbm.ts';
import {
  cpuKey,
  decodeToken,
  encodeToken,
  fingerprintOf,
  type ScheduleToken,
  SOURCE_KINDS,
  TOKEN_LENGTH_MAX,
} from '../../../src/explore/protocol/token.ts';
import { SMALL_GRANULES } from '../../../src/arch/geometry.ts';
import { SCENARIOS_EXPLORED } from '../../../src/explore/protocol/machine/bounds.ts';
import { RULES } from '../../../src/result/rule.ts';
import { builtin } from './fixtures.ts';

const accesses = fc.array(
  fc.record({ kind: fc.constantFrom('load' as const, 'store' as const), page: fc.nat(3) }),
  { maxLength: 2 },
);
const small = fc.nat(29);
const tokens: fc.Arbitrary<ScheduleToken> = fc.record({
  kind: fc.constantFrom(...SOURCE_KINDS),
  name: fc.oneof(fc.string({ minLength: 1, maxLength: 20 }), fc.constant('a b:c/%41é.ts')),
  against: fc.constantFrom(null, { kind: 'mutant' as const, name: 'no-tlbi' }),
  fingerprint: fc.stringMatching(/^[0-9a-f]{8}$/),
  cpu: fc.constantFrom('bbm=1', 'bbm=2/3,nt=conflict,multihit=old,spec=on,ets=none,tlb=0'),
  level: fc.constantFrom(1 as const, 2 as const),
  granule: fc.constantFrom(...SMALL_GRANULES),
  regions: fc.constantFrom(1 as const, 2 as const),
  vcpus: fc.integer({ min: 1, max: 4 }),
  form: fc.constantFrom(0, 1),
  failing: fc.constantFrom(null, 1, 12),
  scenario: fc.constantFrom(...SCENARIOS_EXPLORED),
  shows: fc.oneof(
    fc.record({
      by: fc.constant('schedule' as const),
      program: fc.record({ early: accesses, late: accesses }),
      choice: small,
      numbers: fc.array(small, { maxLength: 24 }),
      vcpu: fc.constantFrom(0, 3, null),
      end: fc.nat(5000),
    }),
    fc.record({ by: fc.constant('operations' as const), rule: fc.constantFrom(...RULES) }),
  ),
});

function encoded(token: ScheduleToken): string {
  const text = encodeToken(token);
  if (text === null) throw new Error('it does not fit');
  return text;
}

const SIMPLE: ScheduleToken = {
  kind: 'file',
  name: 'mine.ts',
  fingerprint: '01234567',
  against: null,
  cpu: 'bbm=1',
  level: 2,
  granule: 'tiny',
  regions: 1,
  vcpus: 1,
  scenario: 'adjust-populated',
  form: 0,
  failing: null,
  shows: { by: 'operations', rule: 'claim' },
};

describe('a token', () => {
  it('says all that was put into it', () => {
    fc.assert(
      fc.property(tokens, (token) => {
        expect(decodeToken(encoded(token))).toEqual(token);
      }),
      { seed: 7 },
    );
  });

  it('has at most 200 characters, none of which a shell or npm touches', () => {
    fc.assert(
      fc.property(tokens, fc.string({ minLength: 100, maxLength: 300 }), (token, name) => {
        const kind = token.kind === 'sequence' ? 'file' : token.kind;
        const text = encoded({ ...token, kind, name });
        expect(text.length).toBeLessThanOrEqual(TOKEN_LENGTH_MAX);
        expect(text).toMatch(/^[A-Za-z0-9%=,:./@_-]+$/);
      }),
      { seed: 8 },
    );
  });

  it('keeps the end of a path that is too long for it', () => {
    const path = `${'deep/'.repeat(60)}mine.ts`;
    const { name = '' } = decodeToken(encoded({ ...SIMPLE, name: path })) ?? {};
    expect(path.endsWith(name)).toBe(true);
    expect(name).toContain('deep/mine.ts');
  });

  it('of a sequence has all of it, or is none', () => {
    const all = { ...SIMPLE, kind: 'sequence', name: 'o8Tp6MGF3fEYtgMA' } as const;
    expect(decodeToken(encoded(all))).toEqual(all);
    expect(encodeToken({ ...all, name: 'o8Tp'.repeat(60) })).toBeNull();
  });

  it('is refused when any one character of it is another, missing or too many', () => {
    const text = encoded(SIMPLE);
    for (let i = 0; i < text.length; i++) {
      const other = text[i] === 'x' ? 'y' : 'x';
      expect(decodeToken(text.slice(0, i) + other + text.slice(i + 1))).toBeNull();
      expect(decodeToken(text.slice(0, i) + text.slice(i + 1))).toBeNull();
    }
    expect(decodeToken(`${text}0`)).toBeNull();
    expect(decodeToken('')).toBeNull();
  });

  it('is none where a guest program does not fit', () => {
    const early = Array.from({ length: 100 }, () => ({ kind: 'load', page: 0 }) as const);
    const shows = { by: 'schedule', choice: 0, numbers: [], vcpu: 0, end: 0 } as const;
    expect(
      encodeToken({ ...SIMPLE, shows: { ...shows, program: { early, late: [] } } }),
    ).toBeNull();
  });
});

describe('the CPU of a token', () => {
  it('is bbm, and what is not as it usually is', () => {
    expect(cpuKey(DEFAULT_CPU, 1)).toBe('bbm=1');
    expect(cpuKey({ ...DEFAULT_CPU, nt: 'fault', tlb: 0 }, 1)).toBe('bbm=1,nt=fault,tlb=0');
  });

  it('names the PEs that run vCPUs, and the least of all', () => {
    const bbm = Array.from({ length: 64 }, (_, pe): BbmLevel => (pe === 63 ? 0 : pe % 2 ? 3 : 2));
    expect(cpuKey({ ...DEFAULT_CPU, bbm }, 2)).toBe('bbm=2/3/0');
    expect(cpuKey({ ...DEFAULT_CPU, bbm: [2, 1] }, 2)).toBe('bbm=2/1');
  });
});

describe('a fingerprint', () => {
  const protocol = builtin('bbm-early');

  it('is of what the protocol does, claims and is called, and of its text', () => {
    const path = {
      operations: [],
      trace: [],
      locations: [],
      behind: [],
      parts: [],
      findings: [],
      ledger: [],
      answers: [],
      memory: [],
      thrown: null,
    };
    const isb = { ...path, operations: [{ kind: 'isb' } as const] };
    const all = [
      fingerprintOf(protocol, [path], ''),
      fingerprintOf(protocol, [isb], ''),
      fingerprintOf(protocol, [path], 'text'),
      fingerprintOf({ ...protocol, name: 'other' }, [path], ''),
      fingerprintOf({ ...protocol, claims: { neverInvalid: true } }, [path], ''),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(fingerprintOf(protocol, [path], '')).toBe(all[0]);
  });
});
