/**
 * Where our own modules lie is what their imports say: `./x.ts` in a file below src or workers is that
 * file. Node asks the file system for each of them, a thousand times a start, and for the package.json
 * above it: a tenth of what a thread or a short command takes to start (docs/speed.md). Old syntax
 * only: it must parse on Node 12.
 */
var here = import.meta.url;
var trees = [new URL('../', here).href, new URL('../../workers/', here).href];

function isOurs(url) {
  return url.startsWith(trees[0]) || url.startsWith(trees[1]);
}

/**
 * What Node's resolve hook returns; null of what is not plainly ours, which is left to Node. In an
 * installed package our modules are JavaScript, but these two files are that in both.
 */
export function ownModuleOf(specifier, parentUrl) {
  if (parentUrl === undefined || specifier[0] !== '.' || !isOurs(parentUrl)) return null;
  var url = new URL(specifier, parentUrl).href;
  if (!isOurs(url)) return null;
  if (url.endsWith('.ts')) return { url: url, format: 'module-typescript', shortCircuit: true };
  return url.endsWith('.js') ? { url: url, format: 'module', shortCircuit: true } : null;
}

/** For imports of this thread from now on. */
export function resolveOwnModules() {
  process.getBuiltinModule('module').registerHooks({
    resolve: function (specifier, context, nextResolve) {
      return ownModuleOf(specifier, context.parentURL) || nextResolve(specifier, context);
    },
  });
}
