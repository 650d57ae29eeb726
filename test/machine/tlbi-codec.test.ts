/**
 * A TLBI in the log, applied by a vCPU, removes exactly what the architecture says it must: the
 * three structures against src/arch/tlbi.ts, for every kind, level, hint, range and VMID.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { geometryOf, type Level } from '../../src/arch/geometry.ts';
import { mustInvalidate, type TlbEntryView, TLBI_KINDS, type TlbiOp } from '../../src/arch/tlbi.ts';
import { basePageOf, layoutOf, type MachineConfig, VMID } from '../../src/machine/layout.ts';
import { createTlb } from '../../src/machine/tlb/tlb.ts';
import { entryData } from '../../src/machine/tlb-entry.ts';
import { createTlbiCodec, type TlbSet } from '../../src/machine/tlb/tlbi-codec.ts';
import { createWalkCache } from '../../src/machine/tlb/walk-cache.ts';

const rest = { vcpus: 1, transitionsMax: 1 };
const CONFIGS: readonly MachineConfig[] = [
  { granule: '4k', level: 1, blocks: 2, ...rest },
  { granule: '4k', level: 2, blocks: 3, ...rest },
  { granule: '16k', level: 2, blocks: 3, ...rest },
  { granule: '64k', level: 2, blocks: 3, ...rest },
];

describe.each(CONFIGS)('$granule, regions of level $level', (config) => {
  const layout = layoutOf(config);
  const g = geometryOf(config.granule);
  const pageBytes = 2 ** layout.pageShift;

  interface Fill {
    readonly structure: 'combined' | 'stage2' | 'walk';
    readonly page: number;
    readonly level: number;
  }

  /** Near each other and near the edges of entries, or anywhere. */
  const page = fc.oneof(
    fc.nat(Math.min(layout.pages, 64) - 1),
    fc
      .tuple(fc.nat(layout.pages / layout.entriesPerTable - 1), fc.integer({ min: -2, max: 2 }))
      .map(([n, d]) => Math.max(0, n * layout.entriesPerTable + d)),
    fc.nat(layout.pages - 1),
  );
  const leafLevel = fc.constantFrom(3, ...g.blockLevels);
  const tableLevel = fc.integer({ min: layout.startLevel, max: 2 });
  const fill: fc.Arbitrary<Fill> = fc.oneof(
    fc.record({ structure: fc.constant('combined' as const), page, level: leafLevel }),
    fc.record({ structure: fc.constant('stage2' as const), page, level: leafLevel }),
    fc.record({ structure: fc.constant('walk' as const), page, level: tableLevel }),
  );

  const op: fc.Arbitrary<TlbiOp> = fc
    .record({
      kind: fc.constantFrom(...TLBI_KINDS),
      at: fc.oneof(
        page,
        fc.constantFrom(-600, -3, layout.pages - 1, layout.pages, layout.pages + 600),
      ),
      offset: fc.constantFrom(0, 0, 1, pageBytes - 1),
      pages: fc.oneof(fc.nat(6), fc.constantFrom(layout.entriesPerTable, layout.pages)),
      ttl: fc.constantFrom(undefined, 0, 1, 2, 3 as const),
      vmid: fc.constantFrom(undefined, undefined, VMID, 2),
    })
    .map(({ kind, at, offset, pages, ttl, vmid }) => ({
      kind,
      ipa: layout.ipaBase + at * pageBytes + offset,
      size: pages * pageBytes,
      ...(ttl === undefined ? {} : { ttl }),
      ...(vmid === undefined ? {} : { vmid }),
    }));

  const codec = createTlbiCodec(layout);

  function viewsOf(tlbs: TlbSet): TlbEntryView[] {
    return (['combined', 'stage2', 'walk'] as const).flatMap((structure) =>
      tlbs[structure].entries().map((e) => ({
        structure,
        vmid: e.vmid,
        level: e.level as Level,
        ipa: layout.ipaBase + e.page * pageBytes,
      })),
    );
  }

  test('applying a TLBI removes exactly what the architecture says', () => {
    const fills = fc.array(fill, { minLength: 1, maxLength: 40 });
    const sizes = fc.constantFrom(1, 4, 64);
    fc.assert(
      fc.property(fills, op, sizes, fc.constantFrom(VMID, 2), (all, tlbi, size, vmid) => {
        const tlbs: TlbSet = {
          combined: createTlb(g, vmid, size, layout.pages),
          stage2: createTlb(g, vmid, size, layout.pages),
          walk: createWalkCache(g, vmid, true, basePageOf(layout)),
        };
        for (const f of all) {
          if (f.structure === 'walk') tlbs.walk.insert(f.page, f.level, f.page & 0xff, 1);
          else tlbs[f.structure].insert(f.page, f.level, entryData(f.page, 0, f.level, 3));
        }
        const before = viewsOf(tlbs);
        expect(before.length).toBeGreaterThan(0);

        const log = new Int32Array(16);
        codec.encode(log, 8, tlbi);
        codec.apply(log, 8, tlbs);

        expect(viewsOf(tlbs)).toEqual(before.filter((e) => !mustInvalidate(g, tlbi, e, VMID)));
      }),
      { numRuns: 1500 },
    );
  });
});

test('an operation by address needs its address', () => {
  const layout = layoutOf(CONFIGS[0] as MachineConfig);
  const codec = createTlbiCodec(layout);
  expect(() => codec.encode(new Int32Array(8), 0, { kind: 'ipas2e1is' })).toThrow('an IPA');
});

test('a record is written where it is told and within 8 words', () => {
  const log = new Int32Array(24).fill(-7);
  const op: TlbiOp = { kind: 'ripas2e1is', ipa: 0, size: 2 ** 40, ttl: 3, vmid: 9 };
  createTlbiCodec(layoutOf(CONFIGS[0] as MachineConfig)).encode(log, 8, op);
  const written = [...log.keys()].filter((i) => log[i] !== -7);
  expect(written.every((i) => i >= 8 && i < 16)).toBe(true);
  expect(written).toContain(8);
});
