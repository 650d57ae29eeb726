/**
 * TypeScript to JavaScript, line by line and column by column the same: types become blanks. So the
 * lines that the program prints for a built-in protocol are those of its source and of docs.
 */
import { stripTypeScriptTypes } from 'node:module';

/** Of `import … from './x.ts'`, `export … from`, `import './x.ts'` and `import('./x.ts')`. */
const RELATIVE = /(\bfrom\s+|\bimport\s*\(?\s*)'(\.{1,2}\/[^'\n]+)\.ts'/g;

export function stripped(text: string): string {
  return stripTypeScriptTypes(text).replaceAll(RELATIVE, "$1'$2.js'");
}
