/**
 * A 64-bit descriptor is read and written as one single-copy-atomic access (DDI 0487 B2.2.1); two
 * 32-bit halves tear.
 */
import { type Descriptor, SW_MASK, TYPE_TABLE_OR_PAGE } from '../../arch/descriptor.ts';
import type { Finding, JudgedRun, RuleChecker } from '../run-record.ts';
import { at, hex, ofKind, sighting, who } from '../sighting.ts';

const ADDRESS_BITS = 0x0000_ffff_ffff_f000n;

/** What is left of a leaf without its address and version. */
function attributeBits(d: Descriptor): bigint {
  return d & ~ADDRESS_BITS & ~SW_MASK;
}

/**
 * Attributes that transitions found at fault have stored whole: odd as they are, they were written,
 * and the finding says so.
 */
function attributesStored(run: JudgedRun): ReadonlySet<bigint> {
  const atFault = run.judged.filter(({ verdict }) => verdict.violations.length > 0);
  const events = atFault.flatMap(({ trace }) => trace.events);
  const stored = new Set<bigint>();
  for (const event of events) {
    if (event.op === 'write') stored.add(attributeBits(event.value));
    // The pages of the subtree differ from the leaf it is like in type alone.
    if (event.op === 'build') stored.add(attributeBits(event.like | TYPE_TABLE_OR_PAGE));
  }
  return stored;
}

/** What any transition has stored as it is, but for the version. */
function descriptorsStored(run: JudgedRun): ReadonlySet<bigint> {
  const events = run.judged.flatMap(({ trace }) => trace.events);
  return new Set(events.flatMap((event) => (event.op === 'write' ? [event.value & ~SW_MASK] : [])));
}

export const tornDescriptor: RuleChecker = {
  rule: 'torn-descriptor',
  summary: 'a descriptor was seen that nobody wrote',
  origin: 'DDI 0487 B2.2.1 (single-copy atomicity of 64-bit accesses)',
  sees: ['torn'],
  judge(run: JudgedRun): Finding[] {
    const wrote = attributesStored(run);
    const stored = descriptorsStored(run);
    const torn = ofKind(run.evidence, 'torn').filter(
      (e) => !wrote.has(attributeBits(e.descriptor)),
    );
    return torn.map((e) => {
      const what = `${who(e)}${at(e)} read the level-${e.level} descriptor ${hex(e.descriptor)}`;
      const why = stored.has(e.descriptor & ~SW_MASK)
        ? `${what}, which one store put there whole and which is of no version of the mapping`
        : `${what}, whose halves come from two stores`;
      return sighting('torn-descriptor', e, 'torn', why);
    });
  },
};
