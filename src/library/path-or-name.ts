/** How a caller names a protocol: by name, path or URL. */
import { fileURLToPath } from 'node:url';

/** A name, or a path in the form in which the command line takes one. */
export function pathOrName(given: string | URL): string {
  if (given instanceof URL) return fileURLToPath(given);
  return given.startsWith('file:') ? fileURLToPath(given) : given;
}
