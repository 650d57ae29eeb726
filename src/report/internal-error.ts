/** An error nobody planned for, as one line: what, and where in our own sources. */
import path from 'node:path';
import { PACKAGE_ROOT } from '../package/root.ts';
import { framesIn } from '../arch/stack-frames.ts';

export function internalErrorLine(error: unknown): string {
  return `stage2-stress: ${internalErrorText(error)}\n`;
}

export function internalErrorText(error: unknown): string {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const where = error instanceof Error ? placeOf(error) : null;
  const text = message.replaceAll(/\s*[\r\n]+\s*/g, ' ');
  return `internal error: ${text}${where === null ? '' : ` (at ${where})`}`;
}

/** The innermost frame in the package that is not the assertion itself. */
function placeOf(error: Error): string | null {
  const frames = framesIn(error.stack ?? '');
  const own = frames.filter(
    (f) =>
      f.startsWith(PACKAGE_ROOT + path.sep) &&
      // An installed package lies below node_modules itself.
      !f.slice(PACKAGE_ROOT.length).includes('/node_modules/'),
  );
  const place = own.find((f) => !/\/src\/arch\/assert\.[jt]s:/.test(f)) ?? own[0] ?? frames[0];
  return place === undefined ? null : path.relative(PACKAGE_ROOT, place);
}
