/** Numbers for people: as many digits as mean something, no more. */
import type { Estimate } from '../result/estimate.ts';

const BEFORE_THREE_DIGITS = /\B(?=(?:\d{3})+$)/g;

/** `1,234,567`. Without Intl, which takes 20 ms of each command's start to load. */
export function grouped(value: number): string {
  return value.toFixed(0).replace(BEFORE_THREE_DIGITS, ',');
}

/** `1 vCPU`, `2 vCPUs`. */
export function counted(count: number, what: string): string {
  return `${grouped(count)} ${what}${count === 1 ? '' : 's'}`;
}

/** Counts in a narrow column: exact up to six digits, then `1.23M`. */
export function compact(value: number): string {
  if (value < 1e6) return grouped(value);
  return value < 1e9 ? `${significant(value / 1e6)}M` : `${significant(value / 1e9)}G`;
}

/**
 * Three significant digits, two if it is tiny: `1,234`, `123`, `12.3`, `1.23`, `0.0123`, `0.0012`,
 * `4.2e-7`.
 */
export function significant(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const size = Math.abs(value);
  if (size === 0) return '0';
  // Limits are where rounding carries into one more digit, so that 99.96 is 100 and not 100.0.
  if (size >= 99.95) return grouped(value);
  if (size >= 9.995) return value.toFixed(1);
  if (size >= 0.9995) return value.toFixed(2);
  if (size >= 0.01) return trimmed(value.toPrecision(3));
  if (size >= 0.0001) return trimmed(value.toPrecision(2));
  return value.toExponential(1);
}

function trimmed(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/**
 * A share with its 95 % interval, or the bound on one that was never seen: `12.3% [11.9, 12.8]`, `0
 * (<0.015%)`.
 */
export function shareText({ value, lo, hi }: Estimate): string {
  const percent = (share: number): string => significant(share * 100);
  if (value === 0) return `0 (<${percent(hi)}%)`;
  return `${percent(value)}% [${percent(lo)}, ${percent(hi)}]`;
}

/** `0.8 s`, `3m 20s`, `2h 05m`. */
export function seconds(ms: number): string {
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const whole = Math.floor(ms / 1000);
  const two = (n: number): string => String(n).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`;
  return `${Math.floor(whole / 3600)}h ${two(Math.floor((whole % 3600) / 60))}m`;
}

/** A time in the unit that fits it: `850 ns`, `1.16 ms`, `3m 20s`. */
export function duration(ns: number): string {
  if (ns >= 60e9) return seconds(ns / 1e6);
  const unit = unitFor([ns]);
  return `${significant(ns / unit.ns)} ${unit.name}`;
}

export interface TimeUnit {
  readonly name: 'ns' | 'µs' | 'ms' | 's';
  readonly ns: number;
}

const UNITS: readonly TimeUnit[] = [
  { name: 's', ns: 1e9 },
  { name: 'ms', ns: 1e6 },
  { name: 'µs', ns: 1e3 },
  { name: 'ns', ns: 1 },
];

/** The unit in which most of `valuesNs` are from 1 to 999. */
export function unitFor(valuesNs: readonly number[]): TimeUnit {
  const sorted = [...valuesNs].sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return UNITS.find((unit) => middle >= unit.ns) ?? { name: 'ns', ns: 1 };
}
