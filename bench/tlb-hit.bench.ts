/** What does an access cost whose translation is in the TLB: poll, look-up, load and the checks? */
import { accessQuestion } from './accesses.ts';
import { answer } from './answer.ts';

export const question = accessQuestion('tlb-hit', 'an access that hits the TLB', {
  least: 0.8,
  why: 'V8 runs 105 instructions where gcc runs 92: bounds of typed arrays, values spilled to the stack',
});

if (import.meta.main) await answer(question, import.meta.url);
