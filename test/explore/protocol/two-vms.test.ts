/** A second VM with a VMID of its own beside the transition: what a flush takes from whom. */
import { describe, expect, it } from 'vitest';
import { parseCpu } from '../../../src/request/cpu-knobs.ts';
import {
  decodeToken,
  exploreProtocol,
  ExploreUnsupported,
  replayToken,
} from '../../../src/explore/protocol/index.ts';
import { MUTANTS } from '../../../src/mutants/index.ts';
import { flushVmid, type Protocol, type TlbiOp } from '../../../src/port/index.ts';
import { PROTOCOLS } from '../../../src/protocols/index.ts';
import type { ExploreRun } from '../../../src/result/explore.ts';
import { bbmEarlyWith, builtin } from './fixtures.ts';

const besideAnother = (protocol: Protocol): ExploreRun =>
  exploreProtocol({ protocol, kinds: ['load'], scenario: 'two-vms' });

function mutant(name: string): Protocol {
  const seed = MUTANTS.find((known) => known.name === name)?.seed;
  if (seed?.kind !== 'protocol') throw new Error(`${name} is no protocol`);
  return seed.protocol;
}

/** bbm-early that flushes as it has to, and then by `ops` as well. */
const alsoFlushing = (...ops: readonly TlbiOp[]): Protocol =>
  bbmEarlyWith((cpu) => {
    flushVmid(cpu);
    for (const op of ops) {
      cpu.tlbi(op);
      cpu.dsb('ish');
    }
  });

/** What the second VM's load went through, in all executions. */
function itsWords(run: ExploreRun): string[] {
  const words = run.outcomes.flatMap(({ id }) => /\| vm 2 after: (\w+)$/.exec(id)?.[1] ?? []);
  return [...new Set(words)].toSorted();
}

const rules = (run: ExploreRun): string[] => run.violations.map(({ rule, by }) => `${rule} ${by}`);

describe('the second VM', () => {
  it.each(PROTOCOLS)('keeps its TLB entry through $name', (protocol) => {
    const run = besideAnother(protocol);
    const alone = exploreProtocol({ protocol, kinds: ['load'] });
    expect(itsWords(run)).toEqual(['kept', 'walked']);
    expect(rules(run)).toEqual(rules(alone));
    expect([run.stoppedBy, run.scenario, alone.scenario]).toEqual([null, 'two-vms', undefined]);
    expect(itsWords(alone)).toEqual([]);
  });

  it('tells by a grade of its own that its entry stayed', () => {
    const run = besideAnother(builtin('bbml3-direct'));
    const kept = run.outcomes.filter(({ id }) => id.endsWith('vm 2 after: kept'));
    expect(kept.length).toBeGreaterThan(0);
    expect(new Set(kept.map(({ grade }) => grade))).toEqual(new Set(['interesting']));
    expect(kept[0]?.why).toContain('R_NWYRD');
  });

  const taking: [string, readonly TlbiOp[]][] = [
    ['by its VMID', [{ kind: 'vmalls12e1is', vmid: 2 }]],
    [
      'by its VMID and one stage after the other',
      [
        { kind: 'ipas2e1is', ipa: 0x4000_0000, vmid: 2 },
        { kind: 'vmalle1is', vmid: 2 },
      ],
    ],
  ];
  it.each(taking)('loses it to a flush %s', (_, ops) => {
    const run = besideAnother(alsoFlushing(...ops));
    expect(rules(run)).toEqual(['vmid-isolation operations']);
    expect(run.violation?.steps.at(-1)?.op).toBe('tlbi');
    expect(itsWords(run)).toEqual(['walked']);
  });

  it('loses it with everybody else to a flush of all VMIDs, which is slow and no fault', () => {
    const run = besideAnother(alsoFlushing({ kind: 'alle1is' }));
    expect(rules(run)).toEqual([]);
    expect(run.protocolNotes).toEqual([
      expect.stringMatching(
        /^TLBI ALLE1IS removes TLB entries of the second VM .*: allowed, .*slow/,
      ),
    ]);
    expect(itsWords(run)).toEqual(['walked']);
    expect(run.verdict).toBe('safe');
  });

  it('may keep it in a combined entry where its stage-2 entries are flushed alone', () => {
    const run = besideAnother(alsoFlushing({ kind: 'ipas2e1is', ipa: 0x4000_0000, vmid: 2 }));
    expect(rules(run)).toEqual(['vmid-isolation operations']);
    expect(itsWords(run)).toEqual(['kept', 'walked']);
  });

  const leaving: [string, TlbiOp][] = [
    ['of a third VMID', { kind: 'vmalls12e1is', vmid: 3 }],
    ['of its VMID elsewhere', { kind: 'ipas2e1is', ipa: 0x7000_0000, vmid: 2 }],
    ['that is not broadcast', { kind: 'vmalls12e1', vmid: 2 }],
    ['of its IPA in the first VM', { kind: 'ipas2e1is', ipa: 0x4000_0000 }],
  ];
  it.each(leaving)('loses nothing to a flush %s', (_, op) => {
    const run = besideAnother(alsoFlushing(op));
    expect(rules(run)).toEqual([]);
    expect(itsWords(run)).toEqual(['kept', 'walked']);
  });

  it('is not there unless it is asked for', () => {
    const run = exploreProtocol({ protocol: mutant('neighbour-flushed'), kinds: ['load'] });
    expect(run.verdict).toBe('safe');
  });

  it('needs a TLB', () => {
    const explore = (): ExploreRun =>
      exploreProtocol({ protocol: builtin('bbm-early'), cpu: { tlb: 0 }, scenario: 'two-vms' });
    expect(explore).toThrow(ExploreUnsupported);
  });
});

describe('a flush of the wrong VM', () => {
  const run = besideAnother(mutant('wrong-vmid'));

  it('leaves stale translations in the one and takes good ones from the other', () => {
    expect(rules(run)).toContain('stale-translation schedule');
    expect(rules(run)).toContain('vmid-isolation operations');
    expect(itsWords(run)).toEqual(['walked']);
  });

  it('is shown again by its tokens, with the second VM beside it', () => {
    for (const { rule, by, token } of run.violations) {
      const decoded = decodeToken(token ?? '');
      expect(decoded).toMatchObject({ scenario: 'two-vms', vcpus: 1 });
      if (decoded === null) continue;
      const again = replayToken(decoded, mutant('wrong-vmid'), '', parseCpu(decoded.cpu));
      expect(again.violation).toMatchObject({ rule, by });
      const threads = new Set(again.steps.map(({ thread }) => thread));
      expect([...threads].toSorted()).toEqual(
        by === 'schedule' ? ['hypervisor', 'vcpu 0', 'vm 2'] : ['hypervisor'],
      );
    }
  });
});
