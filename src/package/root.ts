/**
 * Where this package lies, in its two forms: a clone, whose TypeScript Node strips, and an installed
 * package, which holds the same tree as JavaScript below `dist`, because Node strips nothing below
 * node_modules.
 */
import path from 'node:path';

/** Of our own modules. */
const EXTENSION = path.extname(import.meta.filename);
/** True of the JavaScript that `npm pack` makes. */
export const IS_BUILT = EXTENSION === '.js';
/** The folder of package.json, docs and include. */
export const PACKAGE_ROOT = path.resolve(import.meta.dirname, IS_BUILT ? '../../..' : '../..');

/** URL of one of our own modules; `name` is without extension, relative to the URL `base`. */
export const ownModule = (name: string, base: string): URL => new URL(`${name}${EXTENSION}`, base);
