/** What does a miss cost: three 64-bit atomic descriptor loads, each through WebAssembly? */
import { accessQuestion } from './accesses.ts';
import { answer } from './answer.ts';

export const question = accessQuestion('walk-3-level', 'an access that walks three levels', {
  least: 0.5,
  why: 'V8 runs 870 instructions where gcc runs 435: calls of WebAssembly and of Atomics.load, bounds',
});

if (import.meta.main) await answer(question, import.meta.url);
