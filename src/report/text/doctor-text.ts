/** What the doctor found, for people: a line of figures per part, then what cannot be shown. */
import type { DoctorFacts, DoctorResult, Sighting } from '../../result/doctor.ts';
import { exitMeaning } from '../exit-meanings.ts';
import { counted, grouped, seconds, significant } from '../numbers.ts';
import { PLAIN_TEXT, type TextOptions } from './stress-text.ts';
import { alignColumns } from '../table.ts';
import { wrap } from '../wrap.ts';

const BULLET = '  - ';

export function doctorText(
  result: DoctorResult,
  { paint, columns }: Pick<TextOptions, 'paint' | 'columns'> = PLAIN_TEXT,
): string {
  const { facts, machine } = result;
  const rows: readonly (readonly [string, string])[] = [
    ['machine', `${machine.model}, ${machine.arch}, kernel ${machine.kernel}`],
    ['cores', coresLine(facts)],
    ['pinning', pinningLine(facts)],
    ['clock', clockLine(facts)],
    ['engine', `Node ${machine.node}, V8 ${machine.v8}; ${tiersLine(facts)}`],
    ...orderingRows(facts),
    ['run', runLine(facts)],
    ['memory', memoryLine(facts)],
  ];
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  const lines = alignColumns(
    rows.flatMap(([name, text]) =>
      wrap(text, Math.max(40, columns - width)).map((line, i) => [i === 0 ? name : '', line]),
    ),
  );
  lines.push('', paint('bold', 'What no run on this machine can show'));
  for (const limit of result.cannotShow) {
    const [first = '', ...more] = wrap(limit, columns - BULLET.length);
    lines.push(BULLET + first, ...more.map((line) => ' '.repeat(BULLET.length) + line));
  }
  lines.push('', ...result.reasons.map((reason) => paint('red', `reason: ${reason}`)));
  const good = result.exitCode === 0;
  const word = paint(
    good ? 'green' : 'red',
    good ? 'stress can run here' : 'stress cannot run here',
  );
  const meaning = good ? '' : `: ${exitMeaning(result.exitCode)}`;
  lines.push(
    `${word} (looked for ${seconds(result.elapsedMs)}); exit ${result.exitCode}${meaning}`,
  );
  return `${lines.join('\n')}\n`;
}

function coresLine({ cores }: DoctorFacts): string {
  const { online, allowed, quota, usable, siblings, load, virtual, stolen } = cores;
  const parts = [
    `${Number.isInteger(usable) ? usable : significant(usable)} usable of ${online}`,
    allowed === null ? 'which ones is not told' : `allowed ${allowed.join(',')}`,
    quota === null ? 'no quota seen' : `quota ${significant(quota)}`,
    siblings === null
      ? 'hyperthreads not told'
      : siblings.length === 0
        ? 'no two share a core'
        : `share a core: ${siblings.map((group) => group.join('+')).join(' ')}`,
  ];
  if (load > 0) parts.push(`load ${significant(load)}`);
  if (virtual) parts.push('virtual machine');
  if (stolen !== null) parts.push(`${significant(100 * stolen)} % stolen`);
  return parts.join(', ');
}

function pinningLine({ pins }: DoctorFacts): string {
  if (pins.why !== null) return `not tried: ${pins.why}`;
  const parts = [];
  if (pins.verified.length > 0)
    parts.push(`works: a thread was seen on CPU ${pins.verified.join(', then ')} and nowhere else`);
  if (pins.failed.length > 0) parts.push(`failed for CPU ${pins.failed.join(', ')}`);
  return parts.join('; ');
}

function clockLine({ clock }: DoctorFacts): string {
  return (
    `performance.now() steps by ${significant(clock.stepNs)} ns and takes ` +
    `${significant(clock.readNs)}; hrtime takes ${significant(clock.hrtimeReadNs)}; source ` +
    (clock.source ?? 'not told')
  );
}

function tiersLine({ tiers }: DoctorFacts): string {
  const { optimisedNs, interpretedNs, warmUpAccesses } = tiers;
  if (optimisedNs === null || warmUpAccesses === null) return `not measured: ${tiers.why}`;
  const compiled =
    `a guest access takes ${significant(optimisedNs)} ns once the loop is compiled, ` +
    `after ${grouped(warmUpAccesses)} accesses`;
  if (interpretedNs === null) return `${compiled}; interpreted not measured: ${tiers.why}`;
  const times = significant(interpretedNs / optimisedNs);
  return `${compiled}, and ${significant(interpretedNs)} interpreted: ${times} times`;
}

function orderingRows({ ordering }: DoctorFacts): readonly (readonly [string, string])[] {
  if (ordering === null) return [['ordering', 'not tried: two threads cannot run at once']];
  const { storeBuffering, storeBufferingAtomics, torn, tornHalves } = ordering;
  const seen = storeBuffering.seen > 0 ? 'seen' : 'NOT seen';
  const tears = torn.seen > 0 ? 'TEAR' : 'do not tear';
  return [
    [
      'ordering',
      `store buffering ${seen} with plain accesses: ${sightingText(storeBuffering)}; ` +
        `with Atomics: ${sightingText(storeBufferingAtomics)}`,
    ],
    [
      'tearing',
      `plain 64-bit moves ${tears}: ${sightingText(torn)}; ` +
        `stored as two halves: ${sightingText(tornHalves)}`,
    ],
  ];
}

function sightingText({ seen, trials }: Sighting): string {
  if (seen === 0) return `0 of ${grouped(trials)}`;
  return `${grouped(seen)} of ${grouped(trials)} (${significant((100 * seen) / trials)} %)`;
}

function runLine({ collections: c }: DoctorFacts): string {
  if ('failed' in c) return `FAILED: ${c.failed}`;
  const longest = c.longestMs > 0 ? `, the longest ${significant(c.longestMs)} ms` : '';
  return (
    `${grouped(c.cycles)} cycles of split and coalesce in ${seconds(c.runMs)}; ` +
    `${counted(c.hypervisor, 'garbage collection')} in the hypervisor's thread, ` +
    `${grouped(c.vcpu)} in the vCPU's${longest}`
  );
}

function memoryLine({ memory }: DoctorFacts): string {
  const limit =
    memory.limitBytes === null ? '' : `, control group ${mib(memory.limitBytes)} at most`;
  return (
    `${mib(memory.availableBytes)} of ${mib(memory.totalBytes)} to be had${limit}; ` +
    `the portfolio needs ${mib(memory.neededBytes)}`
  );
}

const mib = (bytes: number): string => `${grouped(bytes / 2 ** 20)} MiB`;
