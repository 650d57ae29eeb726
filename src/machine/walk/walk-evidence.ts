/**
 * What a translation writes down when it meets what no version of the mapping could be. It goes on the
 * way hardware would; what ends a walk returns the FAULT that it ends in.
 */
import { EVIDENCE, FREED_READER, type Recorder, VIA } from '../recorder.ts';
import { dataLevel, dataTag, FAULT, FLAG_R, FLAG_W } from '../tlb-entry.ts';

export interface WalkEvidence {
  /** Halves of a descriptor that nobody wrote. */
  torn: (page: number, low: number, high: number, level: number) => number;
  /** A walk that knew `table` by `tag` has read it after it was freed. */
  freed: (page: number, table: number, tag: number, found: number, isPoisoned: boolean) => number;
  /** A table descriptor of `level` that leads to no table page. */
  noTable: (page: number, level: number) => number;
  /** A leaf that leads to guest page `found` (-1: to none), not to `expected`. */
  address: (page: number, found: number, expected: number, via: number, level: number) => void;
  /** A leaf whose permissions no version has. */
  permission: (page: number, flags: number) => void;
  /** A translation of a version that the ghost words around the access do not allow. */
  version: (page: number, data: number, before: number, after: number, via: number) => void;
}

export function createWalkEvidence(recorder: Recorder): WalkEvidence {
  const readWrite = FLAG_W | FLAG_R;
  return {
    torn(page, low, high, level) {
      recorder.evidence(EVIDENCE.torn, page, low, high, level, 0, 0);
      return FAULT.translation;
    },
    freed(page, table, tag, found, isPoisoned) {
      const { hardware } = FREED_READER;
      recorder.evidence(EVIDENCE.freed, page, hardware, table, tag, found, isPoisoned ? 1 : 0);
      return FAULT.translation;
    },
    noTable(page, level) {
      recorder.evidence(EVIDENCE.address, page, -1, 0, VIA.walk, level, 0);
      return FAULT.wild;
    },
    address(page, found, expected, via, level) {
      recorder.evidence(EVIDENCE.address, page, found, expected, via, level, 0);
    },
    permission(page, flags) {
      recorder.evidence(EVIDENCE.permission, page, flags, readWrite, VIA.walk, 0, 0);
    },
    version(page, data, before, after, via) {
      const tag = dataTag(data);
      recorder.evidence(EVIDENCE.version, page, tag, before, after, via, dataLevel(data));
    },
  };
}
