/** The Arm memory model with translation: see rules.ts for the rules, search.ts for the search. */
export * from './one-order.ts';
export * from './options.ts';
export * from './order.ts';
export * from './program.ts';
export * from './reductions.ts';
export { ToldApart } from './rules.ts';
export * from './search.ts';
export type { OnEnd, TrailStep } from './thread-run.ts';
export type { Walk } from './walks.ts';
export type { Silence } from './silence.ts';
