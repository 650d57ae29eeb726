/**
 * What a user's file may count on wherever it lies: `stage2-stress/protocol` and `stage2-stress` are
 * this package, whose engine runs the file; and `import` and `export` are what they say, also where the
 * nearest package.json has `"type": "commonjs"`, as `npm init` writes it.
 */
import { readFileSync } from 'node:fs';
import { type LoadHookContext, registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { ownModule } from '../package/root.ts';

const OURS: Readonly<Record<string, URL>> = {
  'stage2-stress': ownModule('../library/index', import.meta.url),
  'stage2-stress/protocol': ownModule('../port/index', import.meta.url),
};

let isRegistered = false;

/** For imports of this thread from now on. */
export function resolvePackage(): void {
  if (isRegistered) return;
  isRegistered = true;
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const ours = OURS[specifier];
      if (ours === undefined && specifier.startsWith('stage2-stress/')) {
        throw new Error(
          `there is no '${specifier}'; a protocol imports from 'stage2-stress/protocol'`,
        );
      }
      return ours === undefined
        ? nextResolve(specifier, context)
        : { url: ours.href, shortCircuit: true };
    },
    load: (url, context, nextLoad) => nextLoad(url, { ...context, format: formatOf(url, context) }),
  });
}

const AS_MODULE: Readonly<Record<string, string>> = {
  commonjs: 'module',
  'commonjs-typescript': 'module-typescript',
};
/** Files whose name leaves open which of the two they are, outside packages that are installed. */
const UNDECIDED = /^file:(?!.*\/node_modules\/).*\.[jt]s$/;
const MODULE_SYNTAX = /^(?:import\b(?!\s*\()|export\b)/m;

function formatOf(url: string, { format }: LoadHookContext): LoadHookContext['format'] {
  const other = AS_MODULE[format ?? ''];
  if (other === undefined || !UNDECIDED.test(url)) return format;
  return MODULE_SYNTAX.test(readFileSync(fileURLToPath(url), 'utf8')) ? other : format;
}
