import { describe, expect, it } from 'vitest';
import { judgeLog } from '../../src/casemate/index.ts';
import { block, Log, table } from './logs.ts';

const ROOT = 0x20000;
const SECOND = 0x21000;
const CHILD = 0x22000;
const LOCK = 0x30000;
const hex = (n: number | bigint) => `0x${n.toString(16)}`;
const hint = (log: Log, kind: string, location: number, value: number) =>
  log.add('hint', `(kind ${kind}) (location ${hex(location)}) (value ${hex(value)})`);
const lock = (log: Log, op = 'lock', thread = 0, at = LOCK) =>
  log.add(op, `(address ${hex(at)})`, thread);
const ttbr = (log: Log, root: number, asid = 0) =>
  log.add(
    'sysreg-write',
    `(sysreg ttbr0_el2) (value ${hex((BigInt(asid) << 48n) | BigInt(root))})`,
  );
/** A declared root with one table below it. */
const declared = () => {
  const log = hint(new Log(), 'set_root_lock', ROOT, LOCK);
  return log.write(ROOT, table(CHILD)).write(CHILD, block(0x4000_0000));
};
const found = (log: Log) =>
  judgeLog(log.text, 0).violations.map(({ line, rule, why }) => ({ line, rule, why }));
const one = (line: number, rule: string, why: string) => [
  { line, rule, why: expect.stringContaining(why) as string },
];

describe('the stage-1 tree of EL2', () => {
  const el2 = () => lock(ttbr(declared(), ROOT));

  it.each(['vae2is (value 0x0)', 'vale2is (value 0x0)', 'alle2is'])('is clean after %s', (tlbi) => {
    const log = el2().write(CHILD, 0n).dsb().tlbi(tlbi).dsb().write(CHILD, block(0x8000_0000));
    expect(judgeLog(log.text, 0)).toMatchObject({ verdict: 'clean', violations: [] });
  });

  it.each([
    ['the wrong page', (l: Log) => l.dsb().tlbi('vae2is (value 0x999999)').dsb(), 'does not reach'],
    ['a hint of 16K', (l: Log) => l.dsb().tlbi('vae2is (value 0xb00000000000)').dsb(), 'not reach'],
    ['the local form', (l: Log) => l.dsb().tlbi('vae2 (value 0x0)').dsb(), 'is local to'],
    ['no DSB before', (l: Log) => l.tlbi('vae2is (value 0x0)').dsb(), 'before a DSB ordered'],
    ['no DSB after', (l: Log) => l.dsb().tlbi('vae2is (value 0x0)'), 'not followed by a DSB ISH'],
    ['DSB ISHST after', (l: Log) => l.dsb().tlbi('alle2is').dsb('ishst'), 'does not complete'],
    ['none', (l: Log) => l.dsb().dsb(), 'no TLBI came between'],
    ['one of stage 2', (l: Log) => l.dsb().tlbi('alle1is').dsb(), 'no TLBI came between'],
  ])('is not after %s', (_, flush, why) => {
    const log = flush(el2().write(CHILD, 0n));
    const line = log.next;
    expect(found(log.write(CHILD, block(0x8000_0000)))).toEqual(
      one(line, 'break-before-make', why),
    );
  });

  it('keeps the old table until VALE2IS is not all there was: walk caches', () => {
    const log = el2().write(ROOT, 0n).dsb().tlbi('vale2is (value 0x0)').dsb();
    const line = log.next;
    expect(found(log.write(ROOT, table(SECOND)))).toEqual(
      one(line, 'break-before-make', 'does not reach all'),
    );
  });

  it('has no ASID unless EL2 is a host', () => {
    const log = declared();
    const line = log.next;
    expect(found(ttbr(log, ROOT, 1))).toEqual(one(line, 'vmid-isolation', 'reserved 0'));
    const host = declared().add('sysreg-write', `(sysreg hcr_el2) (value ${hex(1n << 34n)})`);
    expect(found(ttbr(host, ROOT, 1))).toEqual([]);
  });
});

describe('a declared root', () => {
  it('keeps its VMID, and shares it with no other', () => {
    const log = declared().vttbr(ROOT, 1);
    const line = log.next;
    expect(found(log.vttbr(ROOT, 2))).toEqual(one(line, 'vmid-isolation', 'already has VMID 1'));
    const two = hint(declared(), 'set_root_lock', SECOND, LOCK + 8).vttbr(ROOT, 1);
    const second = two.next;
    expect(found(two.vttbr(SECOND, 1))).toEqual(one(second, 'vmid-isolation', 'share one VMID'));
    const released = hint(declared().vttbr(ROOT, 1), 'release_table', ROOT, 0);
    expect(found(released.vttbr(ROOT, 2))).toEqual([]);
  });

  it.each([
    ['nobody has it', (l: Log) => l, 0, 'nobody holds it'],
    ['another thread has it', (l: Log) => lock(l, 'lock', 1), 0, 'thread 1 holds it'],
    ['it was given back', (l: Log) => lock(lock(l), 'unlock'), 0, 'nobody holds it'],
    ['another lock is held', (l: Log) => lock(l, 'lock', 0, LOCK + 8), 0, 'nobody holds it'],
  ])('is not stored to while %s', (_, before, thread, why) => {
    const log = before(declared().vttbr(ROOT, 1));
    const line = log.next;
    expect(found(log.write(CHILD + 8, block(0xc000_0000), thread))).toEqual(
      one(line, 'ownership', why),
    );
  });

  it('is stored to by who holds the lock, and an entry by its owner', () => {
    expect(found(lock(declared().vttbr(ROOT, 1), 'trylock').write(CHILD + 8, block(0)))).toEqual(
      [],
    );
    const owned = () => hint(declared().vttbr(ROOT, 1), 'set_pte_thread_owner', CHILD + 8, 1);
    expect(found(owned().write(CHILD + 8, block(0), 1))).toEqual([]);
    const log = lock(owned());
    const line = log.next;
    expect(found(log.write(CHILD + 8, block(0)))).toEqual(
      one(line, 'ownership', 'gave to thread 1'),
    );
  });

  it('of a program that tells of EL2 itself needs a lock', () => {
    const log = new Log().add('sysreg-write', '(sysreg sctlr_el2) (value 0)').vttbr(ROOT, 1);
    const line = log.next;
    expect(found(log.write(ROOT, 0n))).toEqual(
      one(line, 'ownership', 'has no lock (no set_root_lock)'),
    );
    // HCR_EL2 and TCR_EL2 are in logs of tracers, too, which see no locks, or not what they guard.
    const registers = (log: Log) =>
      ['hcr_el2', 'tcr_el2'].reduce(
        (l, name) => l.add('sysreg-write', `(sysreg ${name}) (value 0x1)`),
        log,
      );
    const seen = registers(new Log()).vttbr(ROOT, 1).write(ROOT, 0n);
    expect(judgeLog(seen.text, 0)).toMatchObject({ verdict: 'clean', violations: [] });
    const locked = judgeLog(lock(registers(new Log()).vttbr(ROOT, 1)).write(ROOT, 0n).text, 0);
    expect(locked.violations).toEqual([]);
    expect(locked.notJudged).toContainEqual(
      expect.stringContaining('which lock guards which table is not in this log'),
    );
    const traced = judgeLog(new Log().vttbr(ROOT, 1).write(ROOT, 0n).text, 0);
    expect(traced.notJudged).toContainEqual(
      expect.stringContaining('locks are not in this log: who may store'),
    );
  });
});

describe('a table page', () => {
  it('is not linked in a second place, nor given up, before it is clean', () => {
    const broken = () => lock(declared().vttbr(ROOT, 1)).write(ROOT, 0n);
    const log = broken();
    const line = log.next;
    expect(found(hint(log, 'release_table', CHILD, 0))).toEqual(
      one(line, 'freed-table', 'given up while walkers'),
    );
    const moved = broken();
    const at = moved.next;
    expect(found(moved.write(ROOT + 8, table(CHILD)))).toEqual(
      one(at, 'freed-table', 'linked again while walkers'),
    );
    const twice = lock(declared().vttbr(ROOT, 1));
    const second = twice.next;
    expect(found(twice.write(ROOT + 8, table(CHILD)))).toEqual(
      one(second, 'freed-table', 'used in two places'),
    );
    expect(found(hint(broken().flush(), 'release_table', CHILD, 0))).toEqual([]);
    expect(
      found(
        broken()
          .flush()
          .write(ROOT + 8, table(CHILD)),
      ),
    ).toEqual([]);
  });
});

describe("HCR_EL2.TGE, under which VMALLE1 is the host's own", () => {
  const [HOST, GUEST] = [(1n << 34n) | (1n << 27n), 1n << 34n];
  const isb = (log: Log, thread = 0) => log.add('barrier', 'isb', thread);
  const hcr = (log: Log, value: bigint, thread = 0) =>
    isb(log.add('sysreg-write', `(sysreg hcr_el2) (value ${hex(value)})`, thread), thread);
  const vm = () => lock(isb(declared().vttbr(ROOT, 1)));
  const remap = (log: Log) => log.write(CHILD, block(0x8000_0000));
  /** Flushed by address, and its combined entries by VMALLE1IS. */
  const flushed = (before: (log: Log) => Log): Log => {
    const log = before(vm()).write(CHILD, 0n).dsb().tlbi('ipas2e1is (value 0x0)').dsb();
    return remap(log.tlbi('vmalle1is').dsb());
  };
  const survives = [
    expect.objectContaining({
      rule: 'break-before-make',
      why: expect.stringContaining('is issued with HCR_EL2.TGE set') as string,
    }),
  ];

  it('leaves combined entries of the guest where it is set', () => {
    expect(found(flushed((log) => hcr(log, HOST)))).toEqual(survives);
  });

  it('or where no ISB has followed its clearing', () => {
    const late = (log: Log) =>
      hcr(log, HOST).add('sysreg-write', `(sysreg hcr_el2) (value ${hex(GUEST)})`);
    expect(found(flushed(late))).toEqual(survives);
  });

  it.each<readonly [string, (log: Log) => Log]>([
    ['was cleared before', (log) => hcr(hcr(log, HOST), GUEST)],
    ['has no E2H beside it', (log) => hcr(log, HOST & ~GUEST)],
    ['is set on another CPU', (log) => hcr(log, HOST, 1)],
  ])('leaves none where it %s', (_, before) => {
    expect(found(flushed(before))).toEqual([]);
  });

  it('makes no difference to a flush by VMID', () => {
    expect(found(remap(hcr(vm(), HOST).write(CHILD, 0n).flush()))).toEqual([]);
  });

  describe("takes all of EL2's own tree", () => {
    const IS = 'vmalle1is';
    const el2 = (before: (log: Log) => Log, tlbi: string) => {
      const log = before(lock(isb(ttbr(declared(), ROOT))))
        .write(CHILD, 0n)
        .dsb();
      return found(remap(log.tlbi(tlbi).dsb()));
    };

    it.each<readonly [string, number, (log: Log) => Log, string]>([
      ['where it is set', 0, (log) => hcr(log, HOST), IS],
      ['not where it is clear', 1, (log) => hcr(log, GUEST), IS],
      ['not where E2H is clear', 1, (log) => hcr(log, HOST & ~GUEST), IS],
      ['not where it is set on another CPU', 1, (log) => hcr(log, HOST, 1), IS],
      ['not in its local form', 1, (log) => hcr(log, HOST), 'vmalle1'],
      ['not where a flush of stage 2 is', 1, (log) => hcr(log, HOST), 'vmalls12e1is'],
      [
        'not before the ISB behind the write',
        1,
        (log) => hcr(log, GUEST).add('sysreg-write', `(sysreg hcr_el2) (value ${hex(HOST)})`),
        IS,
      ],
    ])('%s', (_, count, before, tlbi) => {
      expect(el2(before, tlbi)).toHaveLength(count);
    });

    it('however many other flushes came before', () => {
      const late = (log: Log) => {
        for (let i = 0; i < 20; i++) log.tlbi('vae2is (value 0x999999)').dsb();
        return hcr(log, HOST);
      };
      const log = late(
        lock(isb(ttbr(declared(), ROOT)))
          .write(CHILD, 0n)
          .dsb(),
      );
      expect(found(remap(log.tlbi(IS).dsb()))).toEqual([]);
    });
  });
});
