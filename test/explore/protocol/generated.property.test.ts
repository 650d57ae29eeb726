/**
 * The operations checker held to the executions: over random protocols, correct and damaged ones, no
 * correct one is convicted, none that some execution shows to be harmful passes the operations, and
 * what the operations alone convict says so, with a rule that docs/memory-model.md lists.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { exploreProtocol } from '../../../src/explore/protocol/index.ts';
import type { ExploreRun } from '../../../src/result/explore.ts';
import { generated, protocolOf, type Sequence } from './generated.ts';

const SEQUENCES = 500;

const DOCS = readFileSync(new URL('../../../docs/memory-model.md', import.meta.url), 'utf8');

function explored(sequence: Sequence): ExploreRun {
  const multihit = sequence.bbm === 3 ? 'new' : 'abort';
  const cpu = { bbm: [sequence.bbm], multihit } as const;
  return exploreProtocol({ protocol: protocolOf(sequence), cpu, kinds: ['load'] });
}

/** What is wrong with how the two judges agree, or null. */
function disagreement(sequence: Sequence, { violations, stoppedBy }: ExploreRun): string | null {
  if (stoppedBy !== null) return `stopped by ${stoppedBy}`;
  if (sequence.damage === null) return violations[0]?.why ?? null;
  const shown = violations.filter(({ by }) => by === 'schedule');
  const told = violations.filter(({ by }) => by === 'operations');
  const isToldOf = told.length > 0 || shown.some(({ why }) => why.includes('; cause: '));
  if (shown.length > 0) return isToldOf ? null : 'harm that the operations do not show';
  for (const { why, noExecution } of told) {
    const against = /; against (.+); no execution of this model shows harm$/.exec(why)?.[1];
    if ((against !== undefined) !== (noExecution === true)) return `not said as what it is: ${why}`;
    if (against !== undefined && !DOCS.includes(against)) return `not listed: ${against}`;
  }
  return null;
}

it('the operations and the executions agree, or say that they do not', () => {
  const seen = { correct: 0, harmful: 0, operationsOnly: 0 };
  fc.assert(
    fc.property(generated, (sequence) => {
      const run = explored(sequence);
      if (sequence.damage === null) seen.correct++;
      else if (run.violations.some(({ by }) => by === 'schedule')) seen.harmful++;
      else if (run.violations.length > 0) seen.operationsOnly++;
      expect(disagreement(sequence, run)).toBeNull();
    }),
    { numRuns: SEQUENCES },
  );
  // A generator that makes one kind only would agree with anything.
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(0);
}, 600_000);
