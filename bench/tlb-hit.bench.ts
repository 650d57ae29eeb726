/** What does an access cost whose translation is in the TLB: poll, look-up, load and the checks? */
import { accessQuestion } from './accesses.ts';
import { answer } from './answer.ts';

export const question = accessQuestion('tlb-hit', 'an access that hits the TLB', 0.85);

if (import.meta.main) await answer(question, import.meta.url);
