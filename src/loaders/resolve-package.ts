/**
 * `stage2-stress/protocol` and `stage2-stress` for files outside any package that knows them: they are
 * this package, whose engine runs the file.
 */
import { registerHooks } from 'node:module';

const OURS: Readonly<Record<string, URL>> = {
  'stage2-stress': new URL('../library/index.ts', import.meta.url),
  'stage2-stress/protocol': new URL('../port/index.ts', import.meta.url),
};

let isRegistered = false;

/** For imports of this thread from now on. */
export function resolvePackage(): void {
  if (isRegistered) return;
  isRegistered = true;
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const ours = OURS[specifier];
      return ours === undefined
        ? nextResolve(specifier, context)
        : { url: ours.href, shortCircuit: true };
    },
  });
}
