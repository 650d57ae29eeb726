/**
 * The rules that judge what transitions did: break-before-make, freed-table and claim.
 */
import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../../src/result/evidence.ts';
import { breakBeforeMake } from '../../../src/checker/rules/break-before-make.ts';
import { claim } from '../../../src/checker/rules/claim.ts';
import { freedTable } from '../../../src/checker/rules/freed-table.ts';
import { tornDescriptor } from '../../../src/checker/rules/torn-descriptor.ts';
import { judge, traceNamed } from '../run-builder.ts';
import { traceOf, words } from '../trace-builder.ts';

const w = words();
const direct = traceNamed('bbml2-direct');
const spec = traceNamed('nt-spec');

describe('break-before-make', () => {
  it('accuses a transition that the BBM level does not allow', () => {
    const traces = [
      { trace: spec, count: 90 },
      { trace: direct, count: 10 },
    ];
    expect(judge(breakBeforeMake, { traces })).toMatchObject([
      { rule: 'break-before-make', key: 'block-without-nt', count: 10, transition: { event: 0 } },
    ]);
  });

  it('accepts it where the level allows it', () => {
    expect(judge(breakBeforeMake, { traces: [{ trace: direct, count: 10 }], bbm: 2 })).toEqual([]);
  });
});

describe('torn-descriptor', () => {
  const device = w.page(0) & ~(0xfn << 2n);
  const seen = { vcpu: 0, round: 1, ipa: 0x4000_0000, level: 3 } as const;
  const torn = (descriptor: bigint): Evidence => ({ ...seen, kind: 'torn', descriptor });
  const stored = traceOf('coalesce', [w.child(device), w.clear, ...w.flushVmid, w.store(w.block)]);

  it('accuses nobody of what a transition stored whole, and was found at fault for', () => {
    const elsewhere = device + 0x7000n;
    const traces = [{ trace: stored, count: 1 }];
    expect(judge(breakBeforeMake, { traces }), 'the cause').toHaveLength(1);
    expect(judge(tornDescriptor, { traces, evidence: [torn(elsewhere)] })).toEqual([]);
  });

  it('accuses of any other', () => {
    const half = device ^ (1n << 53n);
    const traces = [{ trace: stored, count: 1 }];
    expect(judge(tornDescriptor, { traces, evidence: [torn(half)] })).toHaveLength(1);
    expect(judge(tornDescriptor, { evidence: [torn(device)] })).toHaveLength(1);
  });
});

describe('freed-table', () => {
  const freedEarly = traceOf('coalesce', [
    w.invalidate,
    w.free(),
    ...w.flushVmid,
    w.store(w.block, 'release'),
  ]);

  it('accuses a transition that frees before it is clean, whether or not a walker met it', () => {
    const findings = judge(freedTable, { traces: [{ trace: freedEarly, count: 5 }] });
    expect(findings).toMatchObject([{ rule: 'freed-table', key: 'freed-unclean', count: 5 }]);
  });

  it('leaves it to this rule alone', () => {
    expect(judge(breakBeforeMake, { traces: [{ trace: freedEarly, count: 5 }] })).toEqual([]);
  });
});

describe('claim', () => {
  const neverInvalid = { neverInvalid: true };
  const spurious = (descriptor: bigint): Evidence => ({
    vcpu: 2,
    round: 9,
    ipa: 0x4000_2000,
    kind: 'spurious',
    descriptor,
  });

  it('accuses a protocol that stored an invalid descriptor, even if nobody faulted', () => {
    const posted = traceNamed('rfc-nt-posted');
    const traces = [{ trace: posted, count: 100 }];
    const [finding] = judge(claim, { claims: neverInvalid, traces });
    expect(finding?.why).toBe(
      'claims neverInvalid, but every transition stored an invalid descriptor',
    );
    expect(finding?.transition).toEqual({ trace: posted, event: 0 });
  });

  it('accuses it for spurious faults alone, counted or with evidence', () => {
    const [counted] = judge(claim, { claims: neverInvalid, spuriousFaults: 7 });
    expect(counted?.why).toBe('claims neverInvalid, but accesses took spurious faults');
    expect(counted?.count).toBe(7);
    const [seen] = judge(claim, { claims: neverInvalid, evidence: [spurious(0n)] });
    expect(seen).toMatchObject({ vcpu: 2, round: 9, ipa: 0x4000_2000, count: 1 });
  });

  it('does not accuse it if the entry was never invalid', () => {
    expect(judge(claim, { claims: neverInvalid })).toEqual([]);
  });

  it('does not take the fault of a PE that refuses nT blocks for a broken claim', () => {
    expect(judge(claim, { claims: neverInvalid, evidence: [spurious(w.nt)] })).toEqual([]);
  });

  it('does not hold a protocol to what it does not claim', () => {
    const traces = [{ trace: traceNamed('bbm-late'), count: 100 }];
    expect(judge(claim, { traces, spuriousFaults: 9, evidence: [spurious(0n)] })).toEqual([]);
  });
});
