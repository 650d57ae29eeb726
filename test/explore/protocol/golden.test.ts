/**
 * What the explorer says of every built-in protocol on every CPU that makes a difference: verdict, rules
 * with the length of the shortest schedule, and outcomes, in `golden/`. A faster search, or another order
 * of it, has to say the same. After a change that is meant, `GOLDEN=write npx vitest run
 * test/explore/protocol/golden.test.ts`, and read the difference.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { CpuModel } from '../../../src/arch/cpu-model.ts';
import { exploreProtocol, ExploreUnsupported } from '../../../src/explore/protocol/index.ts';
import type { Protocol } from '../../../src/port/index.ts';
import { PROTOCOLS } from '../../../src/protocols/index.ts';
import type { ExploreRun } from '../../../src/result/explore.ts';

const CPUS: Readonly<Record<string, Partial<CpuModel>>> = {
  'bbm=0': { bbm: [0] },
  'bbm=0 multihit=amalgamate': { bbm: [0], multihit: 'amalgamate' },
  'bbm=1': { bbm: [1] },
  'bbm=1 nt=conflict': { bbm: [1], nt: 'conflict' },
  'bbm=1 nt=fault': { bbm: [1], nt: 'fault' },
  'bbm=1 nt=ignored': { bbm: [1], nt: 'ignored' },
  'bbm=2 multihit=abort': { bbm: [2], multihit: 'abort' },
  'bbm=2 multihit=old': { bbm: [2], multihit: 'old' },
  'bbm=3 multihit=new': { bbm: [3], multihit: 'new' },
  'bbm=2/1 multihit=abort': { bbm: [2, 1], multihit: 'abort' },
  'bbm=1 hafdbs=on': { bbm: [1], hafdbs: true },
  'bbm=1 tlbi=repeat': { bbm: [1], tlbi: 'repeat' },
};

/** Outcomes by a mark of theirs, without counts, which depend on what is told apart. */
function markOf({ outcomes }: ExploreRun): string {
  const text = outcomes.map(({ id, grade }) => `${id}|${grade}\n`).join('');
  const mark = createHash('sha1').update(text).digest('hex').slice(0, 8);
  return `${outcomes.length} outcomes ${mark}`;
}

function said(protocol: Protocol, cpu: Partial<CpuModel>): string {
  try {
    const run = exploreProtocol({ protocol, cpu });
    const shown = run.violations.map(({ rule, by, steps, noExecution = false }) => {
      return `${rule} in ${steps.length} ${by === 'schedule' ? 'steps' : 'operations'}${noExecution ? ', none shown' : ''}`;
    });
    return [run.verdict, run.stoppedBy, ...shown, markOf(run)].filter((p) => p !== null).join('; ');
  } catch (error) {
    if (!(error instanceof ExploreUnsupported)) throw error;
    return `not explored: ${error.message}`;
  }
}

it('every protocol on every CPU', () => {
  const lines = PROTOCOLS.flatMap((protocol) => [
    protocol.name,
    ...Object.entries(CPUS).map(([name, cpu]) => `  ${name}: ${said(protocol, cpu)}`),
  ]);
  const text = `${lines.join('\n')}\n`;
  const file = new URL('golden/matrix.txt', import.meta.url);
  if (process.env.GOLDEN === 'write') writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, 'utf8'));
}, 600_000);
