/** `replay` as a user runs it: from the token explore printed to every step of the schedule. */
import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { command } from '../../src/cli/commands/replay.ts';
import { START_FILES } from '../../src/cli/commands/init/start-files.ts';
import type { ExploreResult } from '../../src/result/explore.ts';
import type { ReplayResult } from '../../src/result/replay.ts';
import { emptyFolder, program, type Seen, typed } from './program.ts';

/** Wrong: nothing is flushed. It imports nothing, so it can stand in any folder. */
const UNFLUSHED = `export default {
  name: 'mine',
  kind: 'coalesce',
  summary: 'clear, block, tear down',
  origin: 'a test',
  claims: {},
  run(cpu, t, tables) {
    const child = tables.follow(t.old);
    cpu.write(t.entry, 0n);
    cpu.writeRelease(t.entry, t.wanted);
    tables.tearDown(child, t.level + 1);
  },
};
`;

async function tokensOf(
  folder: string,
  ...args: string[]
): Promise<{ rule: string; token: string }[]> {
  const seen = await typed(['explore', ...args, '--json', 'x.json'], folder);
  expect(seen.code).toBe(1);
  const text = readFileSync(path.join(folder, 'x.json'), 'utf8');
  const { violations = [] } = (JSON.parse(text) as ExploreResult).runs[0] ?? {};
  const tokens = violations.map(({ rule, token }) => ({ rule, token: token ?? '' }));
  for (const { token } of tokens) expect(seen.out).toContain(`npm run replay -- ${token}\n`);
  return tokens;
}

/** What a refused command says, one line; else only that it was not refused. */
function refusal(seen: Seen): string {
  const isRefused =
    seen.code === 2 && seen.out === '' && /^stage2-stress: [^\n]+\n$/.test(seen.err);
  return isRefused ? seen.err : `not refused: exit ${seen.code}`;
}

describe('replay', () => {
  it('shows the schedule of a built-in protocol, step by step', async () => {
    const folder = emptyFolder();
    const [first] = await tokensOf(folder, '--protocol', 'rfc-nt-posted', '--cpu', 'ets=none');
    const seen = program(['replay', first?.token ?? ''], folder);
    expect({ code: seen.code, err: seen.err }).toEqual({ code: 1, err: '' });
    const lines = seen.out.split('\n');
    expect(lines[0]).toBe('rfc-nt-posted, level 2, 1 vCPU, bbm=1 ets=none: one schedule');
    expect(lines[1]).toMatch(/^ +# +hypervisor +vcpu 0 +why$/);
    expect(lines[2]).toMatch(/^ +1 +write entry = invalid \(bits kept\) +the break/);
    expect(seen.out).toMatch(/\n *! 3 +fault load page 0: translation, level 2 +it took/);
    expect(seen.out).toMatch(/\n +13 +unlock lock = free/);
    expect(seen.out).toContain('VIOLATION claim: load of page 0 by vcpu 0');
    expect(seen.out).toContain('R_KFLJB');
  });

  it('shows every violation of a mutant, the operations too', async () => {
    const folder = emptyFolder();
    const tokens = await tokensOf(folder, '--mutant', 'no-tlbi');
    expect(tokens.length).toBeGreaterThan(2);
    for (const { rule, token } of tokens) {
      const seen = await typed(['replay', token], folder);
      expect(seen.code).toBe(1);
      expect(seen.out).toContain(`VIOLATION ${rule}: `);
    }
  });

  it('shows what the repair of an erratum does not mend', async () => {
    const folder = emptyFolder();
    const args = '--errata --mutant one-ipa-flush --accesses 1 --quiet --json x.json';
    const seen = await typed(['explore', ...args.split(' ')], folder);
    expect(seen.code).toBe(1);
    const text = readFileSync(path.join(folder, 'x.json'), 'utf8');
    const { runs } = JSON.parse(text) as ExploreResult;
    const run = runs.find(({ repaired }) => repaired?.by === 'interrupt');
    const { token, rule } = run?.violation ?? {};
    expect(token).toContain('r1:m:one-ipa-flush@i:');
    const again = await typed(['replay', token ?? ''], folder);
    expect(again.out).toContain(', bbm=1 tlbi=ipi: one schedule\n');
    expect(again.out).toMatch(/\d  ipi the interrupt/);
    expect(again.out).toContain(`VIOLATION ${rule}: `);
  });

  it("follows a user's file, and notices that it has changed", async () => {
    const folder = emptyFolder();
    writeFileSync(path.join(folder, 'mine.ts'), UNFLUSHED);
    const [first] = await tokensOf(folder, '--protocol', './mine.ts');
    const token = first?.token ?? '';
    expect(token).toContain(':f:mine.ts:');
    expect((await typed(['replay', token], folder)).code).toBe(1);

    mkdirSync(path.join(folder, 'moved'));
    const moved = path.join('moved', 'mine.ts');
    renameSync(path.join(folder, 'mine.ts'), path.join(folder, moved));
    expect(refusal(await typed(['replay', token], folder))).toContain('--protocol FILE says where');
    expect((await typed(['replay', token, '--protocol', moved], folder)).code).toBe(1);

    appendFileSync(path.join(folder, moved), '// another line\n');
    const seen = await typed(['replay', token, '--protocol', moved], folder);
    expect(refusal(seen)).toContain(
      'mine.ts has changed since the token was made; explore it again',
    );
  });

  it('is printed with the file where its path is too long for the token, by --ablate too', async () => {
    const folder = emptyFolder();
    const long = `${'deep-'.repeat(20)}/${'deeper-'.repeat(20)}`;
    mkdirSync(path.join(folder, long), { recursive: true });
    writeFileSync(path.join(folder, long, 'my steps.seq'), START_FILES.seq.right('mine'));
    const args = ['--cpu', 'bbm=1', '--accesses', '1', '--ablate'];
    const seen = await typed(['explore', '--protocol', `./${long}/my steps.seq`, ...args], folder);
    expect(seen.code).toBe(0);
    // As a shell joins it again.
    const [, token = '', file = ''] =
      /: npm run replay -- (\S+@\d\S+) --protocol '([^']+)'\n/.exec(
        seen.out.replaceAll(/(?<= )\\\n *|\\\n/g, ''),
      ) ?? [];
    expect(file).toBe(`${long}/my steps.seq`);
    const again = await typed(['replay', token, '--protocol', file], folder);
    expect([again.code, again.err]).toEqual([1, '']);
    expect(again.out).toContain('VIOLATION ');
  });

  it('refuses what is no token, or not all of one', async () => {
    const folder = emptyFolder();
    const [first] = await tokensOf(folder, '--protocol', 'rfc-nt-posted');
    const token = first?.token ?? '';
    expect(refusal(await typed(['replay', token.slice(0, -1)]))).toContain('the token is damaged');
    expect(refusal(await typed(['replay', token.replace(':l0', ':l1')]))).toContain(
      'the token is damaged',
    );
    expect(refusal(await typed(['replay', 'rfc-nt-posted']))).toContain('the token is damaged');
    expect(refusal(await typed(['replay']))).toContain('replay needs <token>');
    expect(refusal(await typed(['replay', token, '--protocol', 'x.ts']))).toContain(
      'which is built in',
    );
  });

  it('writes what it shows as JSON, in the form of a result of explore', async () => {
    const folder = emptyFolder();
    const [first] = await tokensOf(folder, '--mutant', 'wrong-vmid', '--scenario', 'two-vms');
    const explored = JSON.parse(readFileSync(path.join(folder, 'x.json'), 'utf8')) as ExploreResult;
    const token = first?.token ?? '';
    const seen = await typed(['replay', token, '--json', 'r.json'], folder);
    expect({ code: seen.code, err: seen.err }).toEqual({ code: 1, err: '' });
    const result = JSON.parse(readFileSync(path.join(folder, 'r.json'), 'utf8')) as ReplayResult;
    expect(Object.keys(result).toSorted()).toEqual(Object.keys(explored).toSorted());
    expect(result).toMatchObject({
      tool: 'stage2-stress',
      command: 'replay',
      verdict: 'fail',
      exitCode: 1,
      seed: null,
      argv: [token, '--json', 'r.json'],
    });
    const [{ violation, broken, ...run }] = result.runs;
    const { cpu, granule } = explored.runs[0] ?? {};
    expect(run).toEqual({
      ...{ protocol: 'wrong-vmid', mutant: 'wrong-vmid', scenario: 'two-vms', cpu, granule },
      ...{ against: null, level: 2, vcpus: 1, verdict: 'violated' },
    });
    const shown = explored.runs[0]?.violations.find((one) => one.token === token);
    expect(Object.keys(violation).toSorted()).toEqual(Object.keys(shown ?? {}).toSorted());
    expect({ ...violation, steps: 0 }).toEqual({ ...shown, steps: 0 });
    expect(violation.steps[broken]?.why).toBe(violation.why);
  });

  it('writes every step of a schedule with its reason', async () => {
    const folder = emptyFolder();
    const tokens = await tokensOf(folder, '--mutant', 'no-tlbi');
    const stale = tokens.find(({ rule }) => rule === 'stale-translation')?.token ?? '';
    await typed(['replay', stale, '--json', 'r.json'], folder);
    const result = JSON.parse(readFileSync(path.join(folder, 'r.json'), 'utf8')) as ReplayResult;
    const [{ violation, broken }] = result.runs;
    expect(violation.steps.filter(({ why }) => (why ?? '') === '')).toEqual([]);
    expect(violation.steps[broken]).toMatchObject({ thread: 'vcpu 0', op: 'load' });
  });

  it('writes nothing for a token that it refuses, and no file where there is no folder', async () => {
    const folder = emptyFolder();
    const [first] = await tokensOf(folder, '--mutant', 'no-tlbi');
    const token = first?.token ?? '';
    const damaged = await typed(['replay', token.slice(1), '--json', 'r.json'], folder);
    expect(refusal(damaged)).toContain('the token is damaged');
    expect(damaged.files).not.toContain('r.json');
    const seen = await typed(['replay', token, '--json', 'nowhere/r.json'], folder);
    expect(refusal(seen)).toContain('there is no folder');
  });

  it('still knows the token of its example', async () => {
    const [example] = command.examples;
    const token = example?.command.split(' ').at(-1) ?? '';
    expect((await typed(['replay', token])).out).toContain('VIOLATION claim: ');
  });

  it('has help, and stands in that of the program', async () => {
    const { out } = await typed(['replay', '--help']);
    expect(out).toContain('npm run replay -- <token> [flags]');
    expect(out).toMatch(/\n {2}--protocol FILE .*\n(?:.*\n)*? {2}--json FILE /);
    expect(out).toContain('npm run replay -- TOKEN --json steps.json');
    expect((await typed(['help'])).out).toMatch(/\n {2}replay +one of explore's counterexamples/);
  });
});
