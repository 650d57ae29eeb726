/**
 * The sentence for each code of store-rule.ts. `step` is the missing step of what was still
 * pending, if anything was.
 */
import { assertNever } from '../arch/assert.ts';
import { type Descriptor, hasNt } from '../arch/descriptor.ts';
import type { BbmLevel } from '../arch/feat-bbm.ts';
import type { Level } from '../arch/geometry.ts';
import type { StoreCode } from './store-rule.ts';

export interface StoreContext {
  readonly code: StoreCode;
  readonly change: string;
  readonly bbm: BbmLevel;
  readonly level: Level;
  readonly after: Descriptor;
  readonly step: string;
}

export function storeSentence(c: StoreContext): string {
  const bbm = `BBM level ${c.bbm}`;
  switch (c.code) {
    case 'valid-to-valid': {
      const nt = c.bbm === 0 && hasNt(c.after, c.level) ? '; nT needs level 1' : '';
      return (
        `valid to valid without break (${c.change}, ${bbm}${nt}): ` +
        'the entry was not made invalid and flushed first'
      );
    }
    case 'valid-over-unclean':
      return (
        `valid stored over an invalid entry that was not clean (${c.change}, ${bbm}): ` + c.step
      );
    case 'block-without-nt':
      return (
        `valid to valid without break: table replaced by a block without nT (${bbm}), ` +
        'but level 1 needs the nT bit or break-before-make'
      );
    case 'split-without-nt':
      return (
        `valid to valid without break: block without nT replaced by a table (${bbm}), ` +
        'but level 1 needs nT set on the block and flushed first, or break-before-make'
      );
    case 'changed-with-size': {
      const how =
        c.step === '' ? 'valid to valid without break' : 'valid stored over what is not clean';
      const step = c.step === '' ? '' : `: ${c.step}`;
      return (
        `${how} (${c.change}, ${bbm}): a change of size without ` +
        `break-before-make may change nothing else (R_PVTFW, R_WHZWS)${step}`
      );
    }
    case 'split-nt-unflushed':
      return (
        'table stored while the block from before nT was set may still be cached ' +
        `(${bbm}): ${c.step}`
      );
    case 'nt-cleared-early':
      return `nT cleared before the old table's translations were gone (${bbm}): ${c.step}`;
    default:
      return assertNever(c.code);
  }
}
