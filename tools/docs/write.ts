/** `npm run docs`: makes every output in README and docs anew, from commands and saved runs. */
import { writeFileSync } from 'node:fs';
import { fileOf, outputsIn, pages, rendered, textOf } from './pages.ts';

for (const page of pages()) {
  const text = textOf(page);
  if (outputsIn(text).length === 0) continue;
  const made = await rendered(text);
  if (made !== text) writeFileSync(fileOf(page), made);
  process.stdout.write(`${page}: ${outputsIn(text).length} outputs\n`);
}
