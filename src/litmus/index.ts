/** herd's `.litmus` tests on the explorer's memory model. */
export { LitmusUsageError } from './files.ts';
export { formatRun, formatSummary, formatTable } from './format-text.ts';
export { printable } from './printable.ts';
export { type LitmusOptions, runLitmus } from './run.ts';
export { type LitmusSummary, summarize } from './verdict.ts';
