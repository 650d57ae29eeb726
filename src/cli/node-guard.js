/**
 * Preloaded with --import, before any TypeScript: says what is wrong when the Node that runs cannot
 * run this project. Under npm that does not happen, node_modules/.bin/node is Node 24. Old syntax
 * only: it must parse on Node 12.
 *
 * Also keeps what Node compiles, for the next run of the same user: half of a start is spent on
 * stripping types. Whoever sets NODE_COMPILE_CACHE or NODE_DISABLE_COMPILE_CACHE has said otherwise.
 */
import { isTooOld, tooOldText } from './node-needed.js';
import { resolveOwnModules } from './own-modules.js';

if (isTooOld(process.versions.node)) {
  process.stderr.write(
    tooOldText(
      process.versions.node,
      '`npm ci`, then `npm run stress` (or any npm script) brings Node 24 by itself',
    ),
  );
  process.exit(2);
}

resolveOwnModules();

var environment = process.env;
var cacheHome =
  environment.XDG_CACHE_HOME || (environment.HOME ? environment.HOME + '/.cache' : undefined);
var isSaid =
  environment.NODE_COMPILE_CACHE !== undefined ||
  environment.NODE_DISABLE_COMPILE_CACHE !== undefined;

if (cacheHome && !isSaid && process.getBuiltinModule) {
  // Where the folder cannot be made Node says so in what it returns, and goes on without.
  process.getBuiltinModule('module').enableCompileCache(cacheHome + '/stage2-stress/modules');
}
