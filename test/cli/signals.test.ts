import { describe, expect, it } from 'vitest';
import { watchSignals } from '../../src/cli/signals.ts';

function watched(): {
  interrupt: ReturnType<typeof watchSignals>;
  names: string[];
  exits: number[];
  clock: { ms: number };
} {
  const names: string[] = [];
  const exits: number[] = [];
  const clock = { ms: 1000 };
  const interrupt = watchSignals(
    (name) => names.push(name),
    (code) => exits.push(code),
    () => clock.ms,
  );
  return { interrupt, names, exits, clock };
}

describe('watchSignals', () => {
  it('aborts at the first and ends at the second', () => {
    const { interrupt, names, exits, clock } = watched();
    try {
      expect(interrupt.signal.aborted).toBe(false);
      process.emit('SIGINT', 'SIGINT');
      expect(interrupt.signal.aborted).toBe(true);
      expect(exits).toEqual([]);
      clock.ms += 800;
      process.emit('SIGTERM', 'SIGTERM');
      expect(exits).toEqual([130]);
      expect(names).toEqual(['SIGINT']);
    } finally {
      interrupt.dispose();
    }
  });

  it('takes the copy that npm passes on for the same press', () => {
    const { interrupt, exits, clock } = watched();
    try {
      process.emit('SIGINT', 'SIGINT');
      clock.ms += 20;
      process.emit('SIGINT', 'SIGINT');
      expect(exits).toEqual([]);
    } finally {
      interrupt.dispose();
    }
  });

  it('listens no longer than it is asked to', () => {
    const before = process.listenerCount('SIGINT');
    const { interrupt } = watched();
    expect(process.listenerCount('SIGINT')).toBe(before + 1);
    interrupt.dispose();
    expect(process.listenerCount('SIGINT')).toBe(before);
  });
});
