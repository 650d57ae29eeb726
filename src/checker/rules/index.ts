/**
 * The rules, in the order of RULES: the more a guest would notice, the earlier.
 */
import type { RuleChecker } from '../run-record.ts';
import { breakBeforeMake } from './break-before-make.ts';
import { claim } from './claim.ts';
import { freedTable } from './freed-table.ts';
import { lostAccess } from './lost-access.ts';
import { lostDirty } from './lost-dirty.ts';
import { progress } from './progress.ts';
import { refcount } from './refcount.ts';
import { staleTranslation } from './stale-translation.ts';
import { tableLeak } from './table-leak.ts';
import { tlbConflict } from './tlb-conflict.ts';
import { tornDescriptor } from './torn-descriptor.ts';
import { vmidIsolation } from './vmid-isolation.ts';
import { wrongOutputAddress } from './wrong-output-address.ts';
import { wrongPermission } from './wrong-permission.ts';

export const IMPLEMENTED_RULES: readonly RuleChecker[] = Object.freeze([
  lostAccess,
  staleTranslation,
  wrongOutputAddress,
  wrongPermission,
  tornDescriptor,
  freedTable,
  tlbConflict,
  breakBeforeMake,
  claim,
  lostDirty,
  vmidIsolation,
  tableLeak,
  refcount,
  progress,
]);
