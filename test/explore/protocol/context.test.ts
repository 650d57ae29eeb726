/** The context a flush runs in, explored: what an ISB, a DSB, TGE and the width of a VMID decide. */
import { describe, expect, test } from 'vitest';
import {
  decodeToken,
  exploreProtocol,
  type ExploreOptions,
  replayToken,
} from '../../../src/explore/protocol/index.ts';
import {
  type Cpu,
  defineProtocol,
  EMPTY,
  HOST_VMID,
  inVheContext,
  inVmidContext,
  type Protocol,
  type Transition,
} from '../../../src/port/index.ts';
import { parseCpu } from '../../../src/request/cpu-knobs.ts';
import { shownRules } from './fixtures.ts';

type Flush = (cpu: Cpu, t: Transition) => void;

/** Unmaps a block: the smallest protocol that needs a flush. */
const unmapWith = (flush: Flush, over: Partial<Protocol> = {}): Protocol =>
  defineProtocol({
    name: 'mine',
    kind: 'unmap',
    form: 'unmap-leaf',
    summary: 's',
    origin: 'o',
    claims: {},
    ...over,
    run(cpu, t, tables) {
      cpu.write(t.entry, EMPTY);
      flush(cpu, t);
      tables.put(t.entry);
    },
  });

const LOADS = { kinds: ['load'], accesses: 1, realGranules: false } as const;

/** Rules that a schedule shows broken; of a safe one `safe`. */
function shown(
  flush: Flush,
  over: Partial<Protocol> = {},
  options: Partial<ExploreOptions> = {},
): string {
  const run = exploreProtocol({ protocol: unmapWith(flush, over), ...LOADS, ...options });
  return run.verdict === 'safe' ? 'safe' : shownRules(run).join(', ') || 'by operations';
}

const NVHE = { context: 'nvhe-host' } as const;
const VHE = { context: 'vhe-host' } as const;

function flushAll(cpu: Cpu): void {
  cpu.tlbi({ kind: 'vmalls12e1is' });
  cpu.dsb('ish');
}

function flushByIpa(cpu: Cpu, { ipa }: Transition): void {
  cpu.tlbi({ kind: 'ipas2e1is', ipa });
  cpu.dsb('ish');
  cpu.tlbi({ kind: 'vmalle1is' });
  cpu.dsb('ish');
}

describe('VTTBR_EL2', () => {
  test('wrapped as KVM does it a flush is safe, for nVHE and VHE', () => {
    expect(shown((cpu, t) => inVmidContext(cpu, t, () => flushByIpa(cpu, t)), NVHE)).toBe('safe');
    expect(shown((cpu, t) => inVheContext(cpu, t, () => flushByIpa(cpu, t)), VHE)).toBe('safe');
  });

  test("not written, the flush is of the host's VMID", () => {
    const flush: Flush = (cpu) => {
      cpu.dsb('ish');
      flushAll(cpu);
    };
    expect([shown(flush), shown(flush, NVHE)]).toEqual(['safe', 'stale-translation']);
  });

  test('without an ISB behind it both VMIDs are explored: one execution is right, one is not', () => {
    const flush: Flush = (cpu, t) => {
      cpu.dsb('ish');
      cpu.writeVttbr(t.vmid, 'guest');
      flushAll(cpu);
      cpu.writeVttbr(HOST_VMID, 'host');
    };
    const protocol = unmapWith(flush, NVHE);
    const programs = [{ early: [], late: [{ kind: 'load', page: 0 }] }] as const;
    const run = exploreProtocol({ protocol, ...LOADS, programs });
    expect(shownRules(run)).toEqual(['stale-translation']);
    const synchronised = unmapWith((cpu, t) => inVmidContext(cpu, t, () => flushAll(cpu)), NVHE);
    const right = exploreProtocol({ protocol: synchronised, ...LOADS, programs });
    // The orders of the right one are among those of the other.
    expect(run.orders).toBeGreaterThan(right.orders);
    const violation = run.violations.find(({ by }) => by === 'schedule');
    const steps = violation?.steps.map(({ detail }) => detail) ?? [];
    expect(steps).toContain('TLBI VMALLS12E1IS vmid=0');
    const token = decodeToken(violation?.token ?? '');
    if (token === null) throw new Error('there is a token');
    expect(replayToken(token, protocol, '', parseCpu(token.cpu)).violation.rule).toBe(
      'stale-translation',
    );
  });

  test("changed to another VM's, a TLBI before the ISB may still act on the first, or not", () => {
    const flush: Flush = (cpu) => {
      cpu.dsb('ish');
      cpu.writeVttbr(2, 'other');
      flushAll(cpu);
    };
    expect(shown(flush)).toBe('stale-translation');
    expect(
      shown((cpu) => {
        cpu.dsb('ish');
        flushAll(cpu);
        cpu.writeVttbr(2, 'other');
        cpu.isb();
      }),
    ).toBe('safe');
  });
});

describe('walks of the host that are under way', () => {
  const afterBarrier =
    (kind: 'ish' | 'ishst' | 'nsh'): Flush =>
    (cpu, t) => {
      cpu.dsb('ishst');
      cpu.dsb(kind);
      cpu.writeVttbr(t.vmid, 'guest');
      cpu.isb();
      flushAll(cpu);
      cpu.writeVttbr(HOST_VMID, 'host');
    };

  test('a DSB for loads and stores waits for them, one for stores does not', () => {
    expect(shown(afterBarrier('ish'), NVHE)).toBe('safe');
    expect(shown(afterBarrier('nsh'), NVHE)).toBe('safe');
    expect(shown(afterBarrier('ishst'), NVHE)).toBe('wrong-output-address');
  });

  test('a host at EL2 has none', () => {
    const flush: Flush = (cpu, t) => {
      afterBarrier('ishst')(cpu, t);
    };
    expect(shown(flush, VHE)).toBe('safe');
  });

  test('each return to the host begins others', () => {
    const twice =
      (second: 'ish' | 'ishst'): Flush =>
      (cpu, t) => {
        inVmidContext(cpu, t, () => flushAll(cpu));
        cpu.dsb(second);
        cpu.writeVttbr(t.vmid, 'guest');
        cpu.isb();
        cpu.writeVttbr(HOST_VMID, 'host');
      };
    expect(shown(twice('ish'), NVHE)).toBe('safe');
    expect(shown(twice('ishst'), NVHE)).toBe('wrong-output-address');
  });

  test('what one has filled in goes with a flush behind the DSB that has waited for it', () => {
    const flush: Flush = (cpu, t) => {
      cpu.dsb('ishst');
      cpu.writeVttbr(t.vmid, 'guest');
      cpu.isb();
      cpu.dsb('ish');
      flushAll(cpu);
      cpu.writeVttbr(HOST_VMID, 'host');
    };
    expect(shown(flush, NVHE)).toBe('safe');
  });
});

describe('HCR_EL2.TGE', () => {
  const withTge =
    (flush: Flush): Flush =>
    (cpu, t) => {
      cpu.dsb('ish');
      cpu.writeVttbr(t.vmid, 'guest');
      cpu.isb();
      flush(cpu, t);
    };

  test("set, the flush of stage 1 is the host's; one of both stages is not", () => {
    expect(shown(withTge(flushByIpa), VHE)).toBe('stale-translation');
    expect(shown(withTge(flushAll), VHE)).toBe('safe');
  });
});

describe('the width of a VMID', () => {
  const cpu = { vmid: 8 } as const;
  const byName: Flush = (port) => {
    port.dsb('ish');
    port.tlbi({ kind: 'vmalls12e1is', vmid: 0x101 });
    port.dsb('ish');
  };

  test('with 8 bits 0x101 is 1', () => {
    expect(shown(byName)).toBe('stale-translation');
    expect(shown(byName, {}, { cpu })).toBe('safe');
  });

  test('two VMs whose numbers differ in the upper byte share their entries', () => {
    const flush: Flush = (port) => {
      port.dsb('ish');
      flushAll(port);
    };
    const vmid = 0x102;
    const beside = { scenario: 'two-vms' } as const;
    expect(shown(flush, { vmid }, beside)).toBe('safe');
    const run = exploreProtocol({ protocol: unmapWith(flush, { vmid }), ...LOADS, ...beside, cpu });
    expect(run.violations.map(({ rule, by }) => `${rule} ${by}`)).toEqual([
      'vmid-isolation operations',
    ]);
    expect(run.violation?.why).toMatch(
      /^the CPU takes the VMIDs of both VMs for one, 2: it has 8 bits/,
    );
    expect(shown(flush, { vmid: 0x103 }, { ...beside, cpu })).toBe('safe');
  });
});
