/** Everything a protocol file needs: the port, descriptor bits and TLBI operations. */
export * from './cpu.ts';
export * from './tables.ts';
export * from './kinds.ts';
export * from './protocol.ts';
export * from './sequences.ts';
export * from './gather.ts';
export * from './try-build.ts';
export * from './trace.ts';
export * from './machine-bug.ts';
export {
  AF,
  DBM,
  type Descriptor,
  EMPTY,
  isTable,
  isValid,
  LOCKED,
  NT,
  S2AP_W,
  VALID,
} from '../arch/descriptor.ts';
export { type ContextName, HOST_VMID, type TableOwner } from '../arch/context.ts';
export { describeTlbi, type TlbiOp } from '../arch/tlbi.ts';
export { childLevel, type Level } from '../arch/geometry.ts';
