/**
 * Protocols as step lists, and the BBM levels at which each is
 * legal.
 */
import type { BbmLevel } from '../../src/arch/feat-bbm.ts';
import { type Place, PLACE, type Step, words } from './trace-builder.ts';

export interface Sequence {
  readonly name: string;
  readonly kind: 'coalesce' | 'split';
  readonly legalAt: readonly BbmLevel[];
  readonly windowed: boolean;
  readonly ntWindowed: boolean;
  readonly steps: readonly Step[];
}

const ALL: readonly BbmLevel[] = [0, 1, 2, 3];
const WITH_NT: readonly BbmLevel[] = [1, 2, 3];
const DIRECT: readonly BbmLevel[] = [2, 3];

export function legalSequences(place: Place = PLACE): Sequence[] {
  const w = words(place);
  const release = w.store(w.block, 'release');
  const nt = w.store(w.nt);
  const link = w.link();
  const breaks = { legalAt: ALL, windowed: true, ntWindowed: false } as const;
  const usesNt = { legalAt: WITH_NT, windowed: false, ntWindowed: true } as const;
  const coalesce = { kind: 'coalesce' } as const;
  const split = { kind: 'split' } as const;
  return [
    {
      name: 'bbm-late',
      ...coalesce,
      ...breaks,
      steps: [w.invalidate, ...w.flushVmid, w.free(), release, w.final],
    },
    {
      name: 'bbm-late-cmo',
      ...coalesce,
      ...breaks,
      steps: [
        w.clear,
        ...w.flushVmid,
        w.free('now', 'below'),
        w.cmo,
        release,
        w.free('now', 'page'),
        w.final,
      ],
    },
    {
      name: 'bbm-early',
      ...coalesce,
      ...breaks,
      steps: [w.invalidate, ...w.flushVmid, release, w.free(), w.final],
    },
    {
      name: 'bbm-early-locked',
      ...coalesce,
      ...breaks,
      steps: [w.locked(), ...w.flushVmid, w.cmo, release, w.free('grace'), w.final],
    },
    {
      name: 'bbm-early-range',
      ...coalesce,
      ...breaks,
      steps: [w.locked(), ...w.flushRange, w.cmo, release, w.free('grace'), w.final],
    },
    {
      name: 'rfc-l0',
      ...coalesce,
      ...breaks,
      steps: [w.invalidate, w.invalidate, ...w.flushVmid, release, w.free(), w.final],
    },
    {
      name: 'rfc-nt-posted',
      ...coalesce,
      ...usesNt,
      windowed: true,
      steps: [w.invalidate, nt, ...w.flushVmid, w.store(w.block), w.free(), w.final],
    },
    {
      name: 'rfc-nt-intended',
      ...coalesce,
      ...usesNt,
      steps: [nt, ...w.flushVmid, w.store(w.block), w.free(), w.final],
    },
    {
      name: 'nt-spec',
      ...coalesce,
      ...usesNt,
      steps: [w.store(w.nt, 'release'), ...w.flushVmid, w.store(w.block), ...w.flushVmid, w.free()],
    },
    {
      name: 'nt-split',
      ...split,
      ...usesNt,
      steps: [w.build, nt, ...w.flushIpa, link, ...w.flushIpa],
    },
    {
      name: 'bbml2-direct',
      ...coalesce,
      legalAt: DIRECT,
      windowed: false,
      ntWindowed: false,
      steps: [w.store(w.block, 'cas'), ...w.flushVmid, w.free()],
    },
    {
      name: 'split-lazy',
      ...split,
      ...breaks,
      steps: [
        w.allocate,
        w.breakBlock,
        ...w.flushIpa,
        link,
        w.child(w.page(0), 'release', { table: 'table 0', before: 0n }),
        w.final,
      ],
    },
    {
      name: 'split-eager',
      ...split,
      ...breaks,
      steps: [w.build, w.locked('plain'), ...w.flushIpa, link, w.final],
    },
  ];
}
