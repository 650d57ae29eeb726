/**
 * A scenario says how the memory under test is mapped when a transition starts and which pages
 * vCPUs use when. It is plain data and pure functions; the engines read it, it never runs anything.
 */
export interface Scenario {
  readonly name: string;
  readonly summary: string;
  /**
   * Pages of each lowest-level table that are mapped in table state, by index; `entries` is the
   * table's length. In block state everything is mapped.
   */
  readonly isMapped: (index: number, entries: number) => boolean;
  /**
   * Some pages are unmapped in table state: until the transition starts vCPUs stay within the
   * mapped ones.
   */
  readonly partial: boolean;
}
