/**
 * `trace` from flags to exit code, with programs of a few lines for QEMU and the compilers: what
 * is asked of them, what is heard from them, and what is said where they are missing. Real kernels
 * are booted by hand; docs/kvm-traces.md has what came of it.
 */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dispatch } from '../../src/cli/dispatch.ts';
import { memoryTerminal } from './memory-terminal.ts';
import { emptyFolder } from './program.ts';

const LOG = path.resolve(import.meta.dirname, '../casemate/logs/good-break-before-make.trace');
const VARIABLES = ['QEMU', 'CC', 'CROSS_CC', 'INIT_CWD', 'PATH'] as const;
const kept = VARIABLES.map((name) => [name, process.env[name]] as const);

let folder = '';
const at = (name: string): string => path.join(folder, name);

function script(name: string, text: string): string {
  writeFileSync(at(name), `#!/bin/sh\n${text}\n`);
  chmodSync(at(name), 0o755);
  return at(name);
}

/** Writes `log` where the plugin would, says what the plugin says, and ends. */
function fakeQemu({ version = '10.0.2', log = LOG, says = 'step done', ends = 0 } = {}): string {
  return script(
    'qemu',
    `if [ "$1" = --version ]; then echo "QEMU emulator version ${version} (Debian)"; exit; fi
echo "$@" > ${at('asked')}
for each; do case "$each" in *out=*) out=\${each#*out=}; 
  while IFS= read -r line; do echo "$line"; done < ${log} > "\${out%%,*}";; esac; done
echo "kvm-trace: events 7" >&2
echo "kvm-trace: step a VM is created" >&2
${says
  .split('\n')
  .map((line) => `echo "kvm-trace: ${line}" >&2`)
  .join('\n')}
echo "kvm-trace: summary events=17 stores=9" >&2
exit ${ends}`,
  );
}

beforeEach(() => {
  folder = emptyFolder();
  const compiler = script(
    'cc',
    'for last; do :; done\necho "$@" >> $0.calls; [ "$last" = --version ] || echo x > "$last"',
  );
  Object.assign(process.env, { QEMU: fakeQemu(), CC: compiler, CROSS_CC: compiler });
  const image = Buffer.alloc(512);
  image.write('ARM\x64', 56, 'latin1');
  image.write('Linux version 6.1.0-fake (someone)', 100, 'latin1');
  writeFileSync(at('Image'), image);
});

afterEach(() => {
  for (const [name, value] of kept) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

async function traced(...flags: readonly string[]) {
  const terminal = memoryTerminal();
  const usual = [
    ['--kernel', at('Image')],
    ['--out', at('x.log')],
  ].filter(([name = '']) => !flags.includes(name));
  const code = await dispatch(['trace', ...usual.flat(), ...flags], terminal);
  return { code, ...terminal.printed };
}

describe('trace', () => {
  it('compiles, boots, tells of the machine, and judges the log', async () => {
    const seen = await traced('--cpu', 'max,lpa2=off', '--vcpus', '3', '--append', 'a=1 b');
    expect([seen.code, seen.err]).toEqual([0, '']);
    expect(seen.out).toMatch(/^kernel +Linux 6\.1\.0-fake, unknown pages, a=1 b$/m);
    expect(seen.out).toMatch(
      /^machine +QEMU 10\.0\.2, -cpu max,lpa2=off, 3 CPUs; 2 VMs of 3 vCPUs$/m,
    );
    expect(seen.out).toMatch(/^log +.*x\.log: 17 events, /m);
    expect(seen.out).toContain('events, 1 table entry judged, 0 violations');
    const asked = readFileSync(at('asked'), 'utf8');
    expect(asked).toContain('-cpu max,lpa2=off -smp 3 -accel tcg,thread=multi');
    expect(asked).toContain('panic=-1 a=1 b -- vcpus=3 vms=2 cycles=2 sparse=1');
    const calls = readFileSync(`${at('cc')}.calls`, 'utf8');
    expect(calls).toMatch(/-shared -fPIC .*plugin\/decode\.c .*plugin\/trace\.c/);
    expect(calls).toMatch(/-static -nostdlib .*guest\/main\.c/);
  });

  it('leaves nothing behind but the log, packed where its name asks for that', async () => {
    expect((await traced('--out', at('y.log.gz'))).code).toBe(0);
    const asked = readFileSync(at('asked'), 'utf8');
    const folders = asked.match(/\/[^\s,=]*stage2-stress-(?:trace|memory)-\w+/g) ?? [];
    const isNamed = (what: string): boolean => folders.some((name) => name.includes(what));
    expect(['-trace-', '-memory-'].filter(isNamed)).toHaveLength(2);
    expect(folders.filter((name) => existsSync(name))).toEqual([]);
    expect(gunzipSync(readFileSync(at('y.log.gz'))).toString()).toBe(readFileSync(LOG, 'utf8'));
  });

  it('ends with the verdict on the log', async () => {
    process.env['QEMU'] = fakeQemu({
      log: LOG.replace('good-break-before-make', 'bad-missing-tlbi'),
    });
    const seen = await traced('--quiet');
    expect(seen.code).toBe(1);
    expect(seen.out).toMatch(/x\.log:14: break-before-make/);
  });

  it('Ctrl-C ends the machine, and what is in the log is judged', async () => {
    fakeQemu();
    // It goes on until it is told to end, as a machine does.
    const forever =
      'trap "exit 0" TERM; while :; do echo "kvm-trace: step at it" >&2; sleep 0.05; done';
    const text = readFileSync(at('qemu'), 'utf8').replace(/^#!.*\n/, '');
    script('qemu', text.replace('exit 0', forever));
    const stream = Object.assign(new PassThrough(), { columns: 200 });
    const lines: string[] = [];
    stream.on('data', (part: Buffer) => {
      const line = String(part);
      if (line.includes('at it') && !lines.join('').includes('at it'))
        process.emit('SIGINT', 'SIGINT');
      lines.push(line);
    });
    const terminal = { ...memoryTerminal(), progress: stream as unknown as WriteStream };
    const code = await dispatch(['trace', '--kernel', at('Image'), '--out', at('x.log')], terminal);
    const drawn = lines.join('');
    expect(drawn).toMatch(/ so far {2}0 events {2}compiling the plugin and the guest program/);
    expect(drawn).toMatch(/ so far {2}17 events {2}at it/);
    expect(terminal.printed.err).toContain('SIGINT: the machine is ended');
    expect(terminal.printed.out).toContain('events, 1 table entry judged, 0 violations');
    expect(code).toBe(130);
  });
});

describe('what is missing', () => {
  it('is told at once, each with how to get it', async () => {
    Object.assign(process.env, { QEMU: at('none'), CC: at('none'), CROSS_CC: at('none') });
    const seen = await traced();
    expect(seen.code).toBe(2);
    expect(seen.err.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/missing: .*none \(version 10 or later\) is not here\. Debian 13/),
      expect.stringMatching(/missing: no C compiler for this machine .*apt install gcc/),
      expect.stringMatching(
        /missing: CROSS_CC=.*none cannot be run\. Debian: apt install gcc-aarch64/,
      ),
      'stage2-stress: trace: this machine lacks the 3 things named above',
    ]);
  });

  it.each([
    ['7.2.22', 'is version 7.2.22, expected 10 or later: plugins of older ones see neither'],
    ['x', 'does not tell its version (QEMU emulator version x (Debian))'],
  ])('is QEMU where it is version %s', async (version, why) => {
    process.env['QEMU'] = fakeQemu({ version });
    const seen = await traced();
    expect(seen.err).toContain(why);
    expect(seen.code).toBe(2);
  });

  it('is clang with lld where there is no gcc for arm64', async () => {
    delete process.env['CROSS_CC'];
    const lld = script('ld.lld', '');
    script(
      'clang',
      `case "$*" in *print-prog-name*) echo ${lld};; *) for last; do :; done
echo "$@" >> $0.calls; [ "$last" = --version ] || echo x > "$last";; esac`,
    );
    process.env['PATH'] = folder;
    expect((await traced()).code).toBe(0);
    expect(readFileSync(`${at('clang')}.calls`, 'utf8')).toContain('--target=aarch64-linux-gnu');
  });
});

describe('what goes wrong', () => {
  it.each([
    [
      'the plugin',
      { says: 'error: this QEMU has plugin API 7 to 9' },
      'this QEMU has plugin API 7',
    ],
    [
      'the guest program',
      { says: 'failed: /dev/kvm cannot be opened (errno 002)' },
      '/dev/kvm cannot',
    ],
    ['QEMU', { ends: 1, says: 'events 8' }, 'ended with 1'],
    ['the machine', { says: 'step half way' }, 'before its program was done, at: half way'],
  ])('with %s is one line', async (_, fake, why) => {
    process.env['QEMU'] = fakeQemu(fake);
    const seen = await traced();
    expect(seen.err).toMatch(/^stage2-stress: trace: [^\n]+\n$/);
    expect(seen.err).toContain(why);
    expect([seen.code, seen.out]).toEqual([2, '']);
  });

  it('with a compiler is its first error, once the other has ended', async () => {
    process.env['CC'] = script(
      'cc2',
      '[ "$1" = --version ] || { echo "x.c:1:2: error: so so"; echo > $0.failed; exit 1; }',
    );
    const other = script(
      'cc3',
      `[ "$1" = --version ] && exit; until [ -f ${at('cc2')}.failed ]; do :; done
i=0; while [ $i -lt 50000 ]; do i=$((i + 1)); done; echo > $0.ended`,
    );
    process.env['CROSS_CC'] = other;
    expect((await traced()).err).toContain('could not compile kvm-trace.so: x.c:1:2: error: so so');
    expect(existsSync(`${other}.ended`)).toBe(true);
  });

  it.each([
    [['--kernel', '/none'], 'trace: /none: cannot be read (ENOENT)'],
    [['--kernel', LOG], 'no kernel for arm64; expected an arm64 Image'],
    [['--init', LOG], 'no ELF file; expected a static arm64 program'],
    [['--init', LOG, '--vms', '2'], '--vms is for our program; --init runs yours'],
    [['--out', '/none/x.log'], '--out: there is no folder /none'],
    [['--vcpus', '9'], '--vcpus: "9" is not a whole number from 1 to 8'],
  ])('with %j is said before anything runs', async (flags, why) => {
    const seen = await traced(...flags);
    expect(seen.err).toContain(why);
    expect([seen.code, existsSync(at('asked'))]).toEqual([2, false]);
  });

  it('without a kernel is an example of one', async () => {
    const terminal = memoryTerminal();
    expect(await dispatch(['trace'], terminal)).toBe(2);
    expect(terminal.printed.err).toContain('--kernel IMAGE names the kernel to boot');
  });
});
