/** herd's `.litmus` tests on the explorer's memory model. */
export { LitmusUsageError } from './files.ts';
export { formatRun, formatSummary, formatTable } from './verdict/format-text.ts';
export { printable } from './verdict/printable.ts';
export { type LitmusOptions, runLitmus } from './run.ts';
export { type LitmusSummary, summarize } from './verdict/verdict.ts';
