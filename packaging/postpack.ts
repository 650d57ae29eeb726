/** After npm has packed. */
import path from 'node:path';
import { cloneInPlace } from './swap.ts';

cloneInPlace(path.resolve(import.meta.dirname, '..'));
