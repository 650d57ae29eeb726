import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import { internalErrorLine } from '../../src/report/internal-error.ts';
import { memoryTerminal } from './memory-terminal.ts';

describe('an internal error', () => {
  it('is one line with the place, and exit 70', async () => {
    const terminal = memoryTerminal();
    const { load } = COMMANDS.list;
    const { command } = await load();
    const fail = (): never => {
      throw new Error('two\nlines');
    };
    const broken = Object.assign(COMMANDS.list, {
      load: () => Promise.resolve({ command: { ...command, run: fail } }),
    });
    try {
      expect(await dispatch(['list'], terminal)).toBe(70);
    } finally {
      Object.assign(broken, { load });
    }
    expect(terminal.printed.out).toBe('');
    expect(terminal.printed.err).toMatch(
      /^stage2-stress: internal error: Error: two lines \(at test\/cli\/dispatch\.test\.ts:\d+:\d+\)\n$/,
    );
  });

  it('is told even where it is no Error', () => {
    expect(internalErrorLine('text')).toBe('stage2-stress: internal error: text\n');
    expect(internalErrorLine(undefined)).toBe('stage2-stress: internal error: undefined\n');
  });
});
