/** How fast is a guest between transitions: half stores, and a TLB for half of its pages? */
import { accessQuestion } from './accesses.ts';
import { answer } from './answer.ts';

export const question = accessQuestion('mixed', 'half stores, half misses, walk cache on', 0.6);

if (import.meta.main) await answer(question, import.meta.url);
