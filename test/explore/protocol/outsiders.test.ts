/** Protocol files with bugs of no catalogue: the first violation names the cause. */
import { describe, expect, it } from 'vitest';
import type { Protocol } from '../../../src/port/index.ts';
import badBarrier from '../../stress/e2e/protocols/bad-barrier.ts';
import changesChild from '../../stress/e2e/protocols/changes-child.ts';
import cleansIpa from '../../stress/e2e/protocols/cleans-ipa.ts';
import leaksTable from '../../stress/e2e/protocols/leaks-table.ts';
import myBbm from '../../stress/e2e/protocols/my-bbm.ts';
import readOnly from '../../stress/e2e/protocols/read-only.ts';
import sharedFreesNow from '../../stress/e2e/protocols/shared-frees-now.ts';
import sharedNotLocked from '../../stress/e2e/protocols/shared-not-locked.ts';
import splitDevice from '../../stress/e2e/protocols/split-device.ts';
import splitFromOld from '../../stress/e2e/protocols/split-from-old.ts';
import stage1Only from '../../stress/e2e/protocols/stage1-only.ts';
import { exploreLoads } from './fixtures.ts';

describe("a user's protocol", () => {
  it.each<[Protocol, string, RegExp]>([
    [sharedNotLocked, 'break-before-make', /^plain store to an entry that is valid while the VM's/],
    [
      sharedFreesNow,
      'freed-table',
      /^old table freed at once while the VM's lock is held for read/,
    ],
    [
      changesChild,
      'break-before-make',
      /^entry 0 of the old table, which is linked: .*memory type/,
    ],
    [cleansIpa, 'break-before-make', /^data cache cleaned .*\(that is its IPA\).*wrong address$/],
    [
      splitDevice,
      'break-before-make',
      /^the new subtree table 0 differs .* in memory type \(.*\)$/,
    ],
    [readOnly, 'break-before-make', /differs from the wanted block in write permission$/],
    [leaksTable, 'table-leak', /^1 table page is neither freed nor reachable/],
    [stage1Only, 'break-before-make', /VMALLE1IS .* does not reach stage-2 entries/],
  ])('$name', (protocol, rule, why) => {
    const [first] = exploreLoads(protocol).violations;
    expect(first?.rule).toBe(rule);
    expect(first?.why).toMatch(why);
  });

  it.each([myBbm, splitFromOld])('$name is right', (protocol) => {
    expect(exploreLoads(protocol)).toMatchObject({ verdict: 'safe', violations: [] });
  });

  it('that passes nonsense is told where', () => {
    expect(() => exploreLoads(badBarrier)).toThrow(
      /^protocol bad-barrier threw: no DSB is called "sy"; .*\/bad-barrier\.ts:\d+:\d+\)$/,
    );
  });
});
