import { describe, expect, it } from 'vitest';
import { announcedBbm, cpuFor, cpuProblem, DEFAULT_CPU } from '../../src/arch/cpu-model.ts';

describe('cpuFor', () => {
  it("puts the protocol's CPU over the default and flags over both", () => {
    const protocol = { cpu: { bbm: [2], tlb: 16 } } as const;
    expect(cpuFor({}, {})).toEqual(DEFAULT_CPU);
    expect(cpuFor(protocol, {})).toEqual({ ...DEFAULT_CPU, bbm: [2], tlb: 16 });
    expect(cpuFor(protocol, { bbm: [1], spec: true })).toEqual({
      ...DEFAULT_CPU,
      bbm: [1],
      tlb: 16,
      spec: true,
    });
  });

  it('lets no system of level 3 abort unless somebody asked for it', () => {
    expect(cpuFor({}, { bbm: [3] }).multihit).toBe('old');
    expect(cpuFor({}, { bbm: [3, 2] }).multihit).toBe('abort');
    expect(cpuFor({}, { bbm: [3], multihit: 'abort' }).multihit).toBe('abort');
    expect(cpuFor({ cpu: { bbm: [3], multihit: 'new' } }, {}).multihit).toBe('new');
  });
});

describe('dirty rings', () => {
  it('bring hardware dirty state along, unless it was said to be off, which cannot be', () => {
    expect(cpuFor({}, { hdbss: true })).toEqual({ ...DEFAULT_CPU, hafdbs: true, hdbss: true });
    expect(cpuFor({ cpu: { hafdbs: true } }, { hdbss: false }).hafdbs).toBe(true);
    expect(cpuFor({ cpu: { hdbss: true } }, { hdbss: false }).hafdbs).toBe(false);
    expect(cpuProblem(cpuFor({}, { hdbss: true }))).toBeNull();
    const without = cpuProblem(cpuFor({}, { hdbss: true, hafdbs: false }));
    expect(without).toMatch(/^hdbss=on .+ hafdbs=off .+: leave hafdbs out, or give hafdbs=on$/);
  });
});

describe('announcedBbm', () => {
  it('is the least of the PEs, or what their ID fields say where that is less', () => {
    expect(announcedBbm({ ...DEFAULT_CPU, bbm: [3, 2] })).toBe(2);
    expect(announcedBbm({ ...DEFAULT_CPU, bbm: [3], bbmid: 0 })).toBe(0);
    expect(cpuProblem({ ...DEFAULT_CPU, bbm: [2], bbmid: 3 })).toMatch(/^bbmid=3 announces more/);
    expect(cpuProblem({ ...DEFAULT_CPU, bbm: [3], multihit: 'old', bbmid: 0 })).toBeNull();
  });
});

describe('cpuProblem', () => {
  it('is null for what can be', () => {
    expect(cpuProblem(DEFAULT_CPU)).toBeNull();
    expect(cpuProblem({ ...DEFAULT_CPU, bbm: [1, 0], multihit: 'amalgamate' })).toBeNull();
    expect(cpuProblem({ ...DEFAULT_CPU, bbm: [3], multihit: 'old' })).toBeNull();
  });

  it('says what cannot be', () => {
    expect(cpuProblem({ ...DEFAULT_CPU, multihit: 'amalgamate' })).toContain('give bbm=0');
    expect(cpuProblem({ ...DEFAULT_CPU, bbm: [3, 3] })).toContain('never aborts');
  });
});
