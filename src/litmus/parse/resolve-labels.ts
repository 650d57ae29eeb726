/** Labels as values: `0:X1=P1:L0` names code that may stand behind it, so it is looked up last. */
import { LitmusSyntaxError } from '../errors.ts';
import { UNRESOLVED } from './parse-value.ts';
import type { LitmusTest, Proposition } from '../test-case.ts';
import type { Value } from './value.ts';

/**
 * The test with the place of every label in its values. Throws LitmusSyntaxError for one that is none.
 */
export function withLabels(test: LitmusTest): LitmusTest {
  const resolve = (value: Value, line: number): Value => {
    if (value.kind !== 'code' || value.at.index !== UNRESOLVED) return value;
    const { label } = value;
    const thread = test.threads.find(({ id }) => id === value.at.thread);
    const at = thread?.labels.get(label ?? '');
    if (at) return { kind: 'code', at, label };
    const found = `"P${value.at.thread}:${label}"`;
    throw new LitmusSyntaxError(test.file, line, 'a label of a thread', found);
  };
  const within = (proposition: Proposition): Proposition => {
    switch (proposition.kind) {
      case 'constant':
      case 'fault':
        return proposition;
      case 'equals':
        return { ...proposition, value: resolve(proposition.value, test.conditionLine) };
      case 'not':
        return { ...proposition, operand: within(proposition.operand) };
      default:
        return { ...proposition, left: within(proposition.left), right: within(proposition.right) };
    }
  };
  return {
    ...test,
    initial: test.initial.map((item) => ({ ...item, value: resolve(item.value, item.line) })),
    filter: test.filter === null ? null : within(test.filter),
    condition: within(test.condition),
  };
}
