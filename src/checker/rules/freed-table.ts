/**
 * A table page is reused only when no walker can be in it: hardware ones after DSB, TLBI, DSB (a
 * walk in flight is a TLB entry, R_RVJDB), software ones after the grace period. Seen two ways: a
 * walker met poison or a new generation, or the order of operations allows it to, whether or not
 * one did this time.
 */
import { assertNever } from '../../arch/assert.ts';
import type { Evidence } from '../../result/evidence.ts';
import type { Finding, JudgedRun, RuleChecker } from '../run-record.ts';
import { at, ofKind, sighting, who } from '../sighting.ts';
import { automatonFindings } from './automaton-findings.ts';

type FreedEvidence = Extract<Evidence, { readonly kind: 'freed' }>;

function reader(e: FreedEvidence): string {
  switch (e.reader) {
    case 'hardware':
      return `the table walker of ${who(e)}${at(e)}`;
    case 'software':
      return `a software walker of ${who(e)}${at(e)}`;
    case 'update':
      return `a hardware update of access flag or dirty state by ${who(e)}${at(e)}`;
    default:
      return assertNever(e.reader);
  }
}

function sentence(e: FreedEvidence): string {
  if (e.found !== undefined) {
    const entry = `entry ${e.found.entry} of table page ${e.table}`;
    return e.found.is === 'written-while-free'
      ? `${entry} was written while the page was free: its poison is gone`
      : `${entry} is to point to a table, and no table page is there`;
  }
  const seen = e.poisoned ? 'found poison' : 'found no poison, as it was in use again';
  const generations = `generation ${e.foundGeneration}, expected ${e.expectedGeneration}`;
  const met = e.reader === 'update' ? 'reached' : 'read';
  return `${reader(e)} ${met} table page ${e.table} after it was freed: ${seen} (${generations})`;
}

export const freedTable: RuleChecker = {
  rule: 'freed-table',
  summary: 'a table page was read after it was freed and reused',
  origin: 'R_RVJDB, R_YNJCP; kernel commits a9f0e3d5a089, 36e008323926, c3119ae45dfb',
  sees: ['freed'],
  judge(run: JudgedRun): Finding[] {
    const seen = ofKind(run.evidence, 'freed').map((e) => {
      // Poison is proof by itself; a generation alone could be a page that came back unchanged.
      return sighting('freed-table', e, e.reader, sentence(e), e.poisoned ? 1 : 0);
    });
    return [...seen, ...automatonFindings(run, 'freed-table')];
  },
};
