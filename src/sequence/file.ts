/** A sequence in a file of its own. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Protocol } from '../port/index.ts';
import { parseSequence } from './parse.ts';
import { sequenceProtocol } from './protocol.ts';

/** Throws SequenceError, and what reading a file throws. It is named like the file if by nothing else. */
export function sequenceFile(file: string): Protocol {
  const sequence = parseSequence(readFileSync(file, 'utf8'));
  return sequenceProtocol(sequence, { name: nameOf(file), file });
}

/** `My v2.seq` is `my-v2`. */
function nameOf(file: string): string {
  const words =
    path
      .basename(file, '.seq')
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? [];
  return words.join('-') || 'sequence';
}
