/** Sequences behind the port: what built-in protocols do, written out, is the same to the explorer. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BUILT_IN, selectProtocols } from '../../src/request/registry.ts';
import { EXPLORE_BOUNDS, exploreProtocol } from '../../src/explore/protocol/index.ts';
import { runProtocol } from '../../src/explore/protocol/start.ts';
import { traceOf } from '../../src/explore/protocol/run/hypervisor.ts';
import { MemoryMap } from '../../src/explore/protocol/machine/memory-map.ts';
import { plainChange, type Protocol, type TransitionTrace } from '../../src/port/index.ts';
import { PROTOCOLS } from '../../src/protocols/index.ts';
import {
  packSequence,
  parseSequence,
  sequenceOf,
  sequenceProtocol,
  unpackSequence,
  VALUES,
  writeSequence,
} from '../../src/sequence/index.ts';

const BBM = 1;

/** Of a table of pages nothing lies below, so what frees what does leaves no trace at level 2. */
const levelFor = ({ name }: Protocol): 1 | 2 => (name === 'bbm-late-cmo' ? 1 : 2);

function traced(protocol: Protocol): TransitionTrace {
  const map = new MemoryMap(plainChange(protocol), levelFor(protocol), EXPLORE_BOUNDS.tables);
  const { paths } = runProtocol(protocol, map, BBM, 1, EXPLORE_BOUNDS);
  const [longest] = paths.toSorted((a, b) => b.operations.length - a.operations.length);
  if (longest === undefined) throw new Error('a protocol has a way through it');
  return traceOf(map, longest, protocol);
}

/** `split-lazy` counts an entry of its child table, for which a trace has no index. */
const EXPRESSIBLE = PROTOCOLS.filter(({ name }) => name !== 'split-lazy');

test.each(EXPRESSIBLE)('$name, recorded and written as a sequence, is the same protocol', (p) => {
  const sequence = sequenceOf(traced(p));
  if (sequence === null) throw new Error('it has words for all of it');
  const claims = { neverInvalid: false, handlesConflict: false, ...p.claims };
  const text = writeSequence({ ...sequence, claims });
  const again = sequenceProtocol(parseSequence(text));
  const figures = (protocol: Protocol): unknown => {
    const cpu = { ...p.cpu, bbm: p.cpu?.bbm ?? ([BBM] as const) };
    const { verdict, states, executions, violations } = exploreProtocol({
      protocol,
      cpu,
      level: levelFor(p),
    });
    return { verdict, states, executions, rules: violations.map(({ rule }) => rule) };
  };
  expect(figures(again)).toEqual(figures(p));
});

test('a descriptor of its own making has no word', () => {
  const trace = traced(PROTOCOLS[0] as Protocol);
  const strange = { ...trace.events[0], value: 0x1234_5000n } as TransitionTrace['events'][number];
  expect(sequenceOf({ ...trace, events: [strange] })).toBeNull();
});

const step = fc.oneof(
  fc.constantFrom(...VALUES).map((value) => `stlr ${value}`),
  fc.constantFrom('dsb ish', 'dsb nshst', 'dmb ishst', 'isb', 'get', 'put child[1]', 'merge'),
  fc.constantFrom('tlbi ipas2e1is, ipa+1 pages, ttl=3', 'tlbi alle1', 'tlbi vmalle1, vmid=other'),
  fc.constantFrom('free child below', 'free child after grace', 'clean', 'ldr', 'cas block'),
);
const texts = fc
  .array(
    fc.oneof(
      step,
      step.map((one) => `each page { ${one}; isb }`),
    ),
    { minLength: 1 },
  )
  .map((steps) => steps.join('; '));

test('what is written is read back, and what is packed unpacked', () => {
  fc.assert(
    fc.property(texts, (text) => {
      expect(writeSequence(parseSequence(text))).toBe(text);
      expect(unpackSequence(packSequence(text))).toBe(text);
    }),
    { seed: 16 },
  );
});

test('ten usual steps take few letters of a token', () => {
  const text =
    'str 0; dsb ishst; each page { tlbi ipas2e1is, ipa }; dsb ish; tlbi vmalle1is; dsb ish; isb; ' +
    'stlr block; free child after grace; dsb ishst';
  expect(packSequence(text).length).toBeLessThan(40);
  expect(unpackSequence('no such thing')).toBeNull();
});

test('an index that a table does not have is said with its place', () => {
  const sequence = parseSequence('str 0\n  str 0, child[7]');
  const run = (): unknown => exploreProtocol({ protocol: sequenceProtocol(sequence) });
  expect(run).toThrow('index 7 is not within 0 to 1 (the sequence:2:3)');
});

test('a sequence is no built-in protocol by another name', async () => {
  const taken = selectProtocols([], BUILT_IN, 'name: bbm-early; str 0');
  await expect(taken).rejects.toThrow('it is named bbm-early like another protocol');
});
