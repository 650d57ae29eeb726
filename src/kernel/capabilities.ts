/** What the tree's code may ask of the CPU: by the kernel's names, and by those of the command line. */
import { NativeProblem } from '../native/index.ts';

export const CAPABILITIES = {
  ttl: 'ARM64_HAS_ARMv8_4_TTL',
  tlbirange: 'ARM64_HAS_TLB_RANGE',
  fwb: 'ARM64_HAS_STAGE2_FWB',
} as const;
export type Capability = keyof typeof CAPABILITIES;
export const CAPABILITY_NAMES = Object.keys(CAPABILITIES) as readonly Capability[];

/** Every CPU with FEAT_BBM has FEAT_TTL; without it a wrong level hint would do no harm. */
export const DEFAULT_CAPABILITIES: readonly Capability[] = ['ttl'];

/** What is asked for and absent here: errata, and features that change no table of stage 2. */
const ABSENT: ReadonlySet<string> = new Set([
  'ARM64_HAS_CACHE_DIC',
  'ARM64_HAS_CACHE_IDC',
  'ARM64_HAS_XNX',
  'ARM64_KVM_HVHE',
  'ARM64_WORKAROUND_AMPERE_AC03_CPU_38',
  'ARM64_WORKAROUND_REPEAT_TLBI',
  'ARM64_WORKAROUND_SPECULATIVE_AT',
]);

/** Throws what is neither: a guess could turn the verdict. */
export function hasCapability(name: string, on: readonly Capability[]): boolean {
  const known = CAPABILITY_NAMES.find((capability) => CAPABILITIES[capability] === name);
  if (known !== undefined) return on.includes(known);
  if (ABSENT.has(name)) return false;
  throw new NativeProblem(
    `it asks for the capability ${name}, which is not known here; whether a CPU has it may turn the ` +
      'verdict (src/kernel/capabilities.ts)',
  );
}
