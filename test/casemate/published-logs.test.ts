/**
 * Logs of other people's programs and kernels, which are not part of the repository: skipped where
 * they are not beside it.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { judgeLog } from '../../src/casemate/index.ts';

const SHARED = fileURLToPath(new URL('../../../shared/', import.meta.url));
const has = (folder: string) => existsSync(`${SHARED}${folder}`);
const names = (folder: string, pattern: RegExp) =>
  has(folder) ? readdirSync(`${SHARED}${folder}`).filter((name) => pattern.test(name)) : [];
const text = (name: string) => readFileSync(`${SHARED}${name}`);

describe.skipIf(!has('casemate'))("casemate's examples", () => {
  const RULES: Readonly<Record<string, string>> = {
    EL2_ASID: 'vmid-isolation',
    bbm_by_wrong_VMID: 'break-before-make',
    bbm_missing_tlbi: 'break-before-make',
    free_page_without_clean: 'freed-table',
    no_assoc_lock: 'ownership',
    no_bbm: 'break-before-make',
    no_bbm_stage1: 'break-before-make',
    overlap_ASID: 'vmid-isolation',
    overlap_VMID: 'vmid-isolation',
    race: 'ownership',
    reuse_page: 'freed-table',
    switch_wrong_vmid: 'vmid-isolation',
    unlocked_write: 'ownership',
  };

  it.each(names('casemate', /^bad_/))('%s is convicted at its last event, once', (name) => {
    const log = text(`casemate/${name}`).toString();
    const events = log.split('\n').filter((line) => line.startsWith('('));
    const { violations } = judgeLog(log, 0);
    expect(violations).toHaveLength(1);
    const rule = RULES[name.replace(/^bad_|\.log$/g, '')];
    expect(violations[0]).toMatchObject({ rule, line: events.length, count: 1 });
    expect(events.at(-1)).toContain(`(src "${violations[0]?.place}")`);
  });

  it.each(names('casemate', /^good_/))('%s is clean', (name) => {
    const judged = judgeLog(text(`casemate/${name}`).toString(), 0);
    expect(judged).toMatchObject({ verdict: 'clean', violations: [] });
  });
});

describe.skipIf(!has('traces'))('logs of kernels', () => {
  it.each([
    ['trace61', []],
    ['trace61nvhe', []],
    ['trace612', []],
    ['pkvm612', []],
    ['trace61bug', [{ rule: 'break-before-make', count: 20 }]],
    ['trace510ttl', [{ rule: 'freed-table', count: 1 }]],
  ])('%s', (name, violations) => {
    const log = gunzipSync(text(`traces/${name}.log.gz`)).toString();
    const judged = judgeLog(log, 0);
    expect(judged.violations).toMatchObject(violations);
    expect(judged.verdict).toBe(violations.length === 0 ? 'clean' : 'violated');
  });
});
