/** What does a miss cost: three 64-bit atomic descriptor loads, each through WebAssembly? */
import { accessQuestion } from './accesses.ts';
import { answer } from './answer.ts';

export const question = accessQuestion('walk-3-level', 'an access that walks three levels', 0.65);

if (import.meta.main) await answer(question, import.meta.url);
