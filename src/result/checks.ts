/**
 * What the fields of result files may be, as schemas: numbers, and values with how far they may be
 * relied on. Types of results are what these let through.
 *
 * valibot is not for worker threads: what they load imports the types of this file and nothing else.
 */
import * as v from 'valibot';

/** A value as read: nobody changes it. */
export type Immutable<T> = { readonly [K in keyof T]: Immutable<T[K]> };
export type Read<S extends v.GenericSchema> = Immutable<v.InferOutput<S>>;

/** An object; fields beyond these are kept, for a newer program's results. */
export function open<const E extends v.ObjectEntries>(entries: E): v.ObjectSchema<E, undefined> {
  // That it lets others through changes nothing for those it names.
  return v.looseObject(entries) as unknown as v.ObjectSchema<E, undefined>;
}

export const text = v.string();
export const texts = v.array(text);
export const flag = v.boolean();
export const number = v.pipe(v.number(), v.finite());
/** From 0. */
export const amount = v.pipe(number, v.minValue(0));
export const whole = v.pipe(amount, v.integer());

/** Where no trial bounds it, the upper end is infinite, for which JSON has no word: null. */
const infinite = v.pipe(
  v.null(),
  v.transform(() => Number.POSITIVE_INFINITY),
);

/** A value with its 95 % interval over rounds. */
export const estimate = open({ value: amount, lo: amount, hi: v.union([amount, infinite]) });
/** The same of a difference, which may be below zero. */
export const difference = open({ value: number, lo: number, hi: v.union([number, infinite]) });

/** Buckets as text, `63x12 65x3` (distribution.ts). */
export const HISTOGRAM_PATTERN = /^(?:\d{1,15}x\d{1,15}(?: \d{1,15}x\d{1,15})*)?$/;

const interval = v.tuple([amount, amount]);

/** Nanoseconds; null where nothing was observed. */
export const percentiles = open({
  p50: v.nullable(amount),
  p99: v.nullable(amount),
  max: v.nullable(amount),
  count: whole,
  /** 95 % intervals over rounds, where there were rounds enough to tell. */
  p50Interval: v.exactOptional(interval),
  p99Interval: v.exactOptional(interval),
  /** Every value seen, in buckets. */
  histogram: v.pipe(text, v.regex(HISTOGRAM_PATTERN, 'not buckets such as 63x12 65x3')),
});
