/** Addresses of the kernel's tables in a machine whose tables are smaller. */
import { expect, test } from 'vitest';
import { entrySize, geometryOf, SMALL_GRANULES } from '../../src/arch/geometry.ts';
import { KERNEL_ENTRIES, kernelSize, Scale } from '../../src/kernel/scale.ts';
import type { Transition } from '../../src/port/index.ts';

const IPA = 0x4000_0000;
const PA = 0x8000_0000;

test.each(
  SMALL_GRANULES.flatMap((granule) => ([1, 2] as const).map((level) => ({ granule, level }))),
)('entries beside each other stay so: $granule, level $level', ({ granule, level }) => {
  const geometry = geometryOf(granule);
  const size = entrySize(geometry, level);
  for (const region of [0, 1]) {
    const ipa = IPA + region * size;
    const t = { level, ipa, pa: PA, size } as Transition;
    const scale = new Scale(t, geometry.entriesPerTable);
    expect(scale.kernelIpa).toBe(IPA + region * kernelSize(level));
    expect(scale.machineIpa(scale.kernelIpa)).toBe(ipa);
    // Of the entry below it the second one, and the byte in it.
    const below = level === 1 ? 2 : 3;
    const second = scale.kernelIpa + kernelSize(below) + 8;
    expect(scale.machineIpa(second)).toBe(ipa + entrySize(geometry, below) + 8);
  }
});

test('tables of 512 entries are as they are', () => {
  const size = kernelSize(2);
  const t = { level: 2, ipa: IPA + size, pa: PA, size } as Transition;
  expect(new Scale(t, KERNEL_ENTRIES).kernelIpa).toBe(IPA + size);
});
