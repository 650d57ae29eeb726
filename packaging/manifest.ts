/**
 * The package.json of the package, from that of the clone: a clone runs its TypeScript, the package
 * the JavaScript below `dist`, because Node strips no types below node_modules.
 */

export interface Manifest {
  readonly [field: string]: unknown;
  readonly exports: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
}

/** Of use in a clone only. */
const OF_A_CLONE: ReadonlySet<string> = new Set(['private', 'scripts', 'devDependencies']);

export const BIN = 'dist/bin.js';

export function publishedManifest(manifest: Manifest): object {
  const kept = Object.entries(manifest).filter(([field]) => !OF_A_CLONE.has(field));
  return {
    ...Object.fromEntries(kept),
    bin: { 'stage2-stress': BIN },
    exports: { ...mapValues(manifest.exports, withTypes), './package.json': './package.json' },
    imports: mapValues(manifest.imports, builtModule),
  };
}

const builtModule = (source: string): string =>
  source.replace(/^\.\//, './dist/').replace(/\.ts$/, '.js');

const withTypes = (source: string): object => ({
  types: builtModule(source).replace(/\.js$/, '.d.ts'),
  default: builtModule(source),
});

function mapValues(
  record: Readonly<Record<string, string>>,
  to: (text: string) => string | object,
): object {
  return Object.fromEntries(Object.entries(record).map(([name, text]) => [name, to(text)]));
}
