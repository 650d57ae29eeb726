/** Before npm packs. */
import path from 'node:path';
import { build } from './build.ts';
import { cloneInPlace, publishedInPlace } from './swap.ts';

const ROOT = path.resolve(import.meta.dirname, '..');

cloneInPlace(ROOT);
build(ROOT);
publishedInPlace(ROOT);
