/** Pure functions from numbers to numbers: histograms, shares, intervals over rounds. */
export * from './histogram.ts';
export * from './percentiles.ts';
export * from './rounds.ts';
export * from './share.ts';
