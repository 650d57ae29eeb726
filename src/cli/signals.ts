/**
 * Ctrl-C and SIGTERM. The first asks the campaign to stop and report what it has; the second ends
 * the process at once.
 */
import { EXIT } from '../result/exit-code.ts';

/**
 * One press of Ctrl-C can arrive twice: the terminal signals the whole process group, and `npm run`
 * passes its own copy on to its child. A person who means it presses again later than this.
 */
const SAME_PRESS_MS = 500;

export interface Interrupt {
  readonly signal: AbortSignal;
  /** Signals mean again what they mean to any process. */
  dispose(): void;
}

export function watchSignals(
  onFirst: (name: string) => void,
  exit: (code: number) => void = (code) => process.exit(code),
  now: () => number = () => performance.now(),
): Interrupt {
  const controller = new AbortController();
  let firstMs: number | null = null;
  const onSignal = (name: NodeJS.Signals): void => {
    if (firstMs === null) {
      firstMs = now();
      onFirst(name);
      controller.abort(new Error(`interrupted by ${name}`));
    } else if (now() - firstMs >= SAME_PRESS_MS) {
      exit(EXIT.interrupted);
    }
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    dispose: () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
