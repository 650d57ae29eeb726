/** Where a protocol of a request comes from, as tokens name it. */
import { assertNever } from '../arch/assert.ts';
import type { ProtocolSource } from '../explore/protocol/index.ts';
import { loaderOf } from '../loaders/index.ts';
import { shortPath } from '../package/paths.ts';
import { commandText, packSequence } from '../sequence/index.ts';
import type { ProtocolRef } from '../stress/plan/plan.ts';

export function sourceOf(ref: ProtocolRef): ProtocolSource {
  switch (ref.from) {
    case 'built-in':
      return { kind: 'built-in', name: ref.name, text: '' };
    case 'file':
      return fileSource(ref.path);
    case 'sequence':
      return { kind: 'sequence', name: packSequence(commandText(ref.text)), text: '' };
    default:
      return assertNever(ref);
  }
}

export function fileSource(path: string): ProtocolSource {
  return { kind: 'file', name: shortPath(path), text: loaderOf(path)?.text(path) ?? '' };
}
