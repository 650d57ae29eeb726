/** One search that shards have split comes to what it does whole, once its parts are merged. */
import { describe, expect, it } from 'vitest';
import { exploreProtocol } from '../../src/explore/protocol/index.ts';
import { explorePlan, type ExploreRequest, type Search } from '../../src/request/explore.ts';
import type { ExploreRun } from '../../src/result/explore.ts';
import { mergeResults } from '../../src/result/merge/index.ts';
import type { ExploreFile } from '../../src/result/read.ts';
import type { Shard } from '../../src/result/shard.ts';
import { anExploreResult } from '../report/other-results.ts';

function run({ subject, ...search }: Search): ExploreRun {
  const { protocol, mutant, source, against } = subject;
  return exploreProtocol({
    ...{ protocol, mutant, ...search },
    ...(source === null ? {} : { source }),
    ...(against === undefined ? {} : { against }),
  });
}

let clock = 0;
async function fileOf(request: ExploreRequest, shard: Shard): Promise<ExploreFile> {
  const { searches } = await explorePlan({ ...request, shard });
  clock += 1;
  return {
    ...anExploreResult(),
    ...{ verdict: 'pass', exitCode: 0, reasons: [] },
    ...{ argv: ['--shard', `${shard.index}/${shard.count}`], shard },
    startedAt: new Date(clock * 1000).toISOString(),
    runs: searches.map(run) as unknown as ExploreFile['runs'],
  };
}

const filesOf = (request: ExploreRequest, count: number): Promise<ExploreFile[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => fileOf(request, { index: i + 1, count })));

/** All but how long it took; of a schedule its length, as several are as short. */
function essence({ elapsedMs: _, violation, violations, ...rest }: ExploreRun): unknown {
  const shown = ({ rule, by, steps }: ExploreRun['violations'][0]): unknown[] => [
    ...[rule, by, by === 'schedule' ? steps.length : steps],
  ];
  return { ...rest, violation: violation?.rule, violations: violations.map(shown) };
}

const merged = (files: readonly ExploreFile[]): ExploreRun[] =>
  mergeResults(files).runs as unknown as ExploreRun[];

describe('the parts of a search', () => {
  it.each<[string, number, ExploreRequest]>([
    ['safe', 3, { protocols: ['bbm-early'], accesses: 1 }],
    ['with notes and faults', 4, { protocols: ['bbm-late'], accesses: 1, levels: [1] }],
    ['of several starts', 5, { protocols: ['split-or-keep'] }],
    ['convicted by schedules', 2, { protocols: ['rfc-nt-posted'], accesses: 1 }],
    ['convicted by operations', 3, { mutants: ['make-without-ownership'], accesses: 1 }],
    ['two of them', 3, { protocols: ['bbm-early', 'bbm-late'], accesses: 1 }],
    ['of two hypervisors', 2, { protocols: ['map-hole'], against: 'map-hole', accesses: 1 }],
  ])('%s are all of it in %i shards', async (_, count, request) => {
    const { searches } = await explorePlan(request);
    const files = await filesOf(request, count);
    expect(files.flatMap(({ runs }) => runs).some(({ part }) => part !== undefined)).toBe(true);
    expect(merged(files).map(essence)).toEqual(searches.map(run).map(essence));
  });

  it('of which one is missing are no pass, but a violation stays one', async () => {
    const safe = await filesOf({ protocols: ['bbm-early'], accesses: 1 }, 3);
    expect(merged(safe.toSpliced(1, 1))).toMatchObject([
      { verdict: 'bounded', stoppedBy: 'shard', part: { from: 0, to: 3, of: 3 } },
    ]);
    expect(merged(safe.slice(1))).toMatchObject([{ verdict: 'bounded', part: { from: 1, to: 3 } }]);
    expect(mergeResults(safe.slice(1)).exitCode).toBe(3);
    const posted = await filesOf({ protocols: ['rfc-nt-posted'], accesses: 1 }, 2);
    expect(merged(posted.slice(1))).toMatchObject([{ verdict: 'violated' }]);
  });

  it('twice the same count once', async () => {
    const [first, second] = (await filesOf({ protocols: ['bbm-early'], accesses: 1 }, 2)) as [
      ExploreFile,
      ExploreFile,
    ];
    const again = { ...first, startedAt: new Date(0).toISOString() };
    expect(merged([first, again, second]).map(essence)).toEqual(
      merged([first, second]).map(essence),
    );
  });

  it('are no more than there are guest programs', async () => {
    const split = (request: ExploreRequest): Promise<unknown> =>
      explorePlan({ ...request, shard: { index: 1, count: 99 } });
    await expect(split({ protocols: ['bbm-early'], accesses: 1 })).rejects.toThrow(
      'shard: 99 shards of 4 guest programs leave some without work; give at most 4',
    );
    await expect(split({ protocols: ['bbm-early'], ablate: true })).rejects.toThrow(
      '99 shards of 4 searches leave some',
    );
    await expect(split({ sequence: 'str 0' })).rejects.toThrow('99 shards of 10 searches');
  });
});
