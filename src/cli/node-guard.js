/**
 * Preloaded with --import, before any TypeScript: says what is wrong when the Node that runs cannot
 * run this project. Under npm that does not happen, node_modules/.bin/node is Node 24. Old syntax
 * only: it must parse on Node 12.
 *
 * Also keeps what Node compiles, for the next run of the same user: half of a start is spent on
 * stripping types. Whoever sets NODE_COMPILE_CACHE or NODE_DISABLE_COMPILE_CACHE has said otherwise.
 */
var NEEDED_MAJOR = 22;
var NEEDED_MINOR = 18;

var running = process.versions.node.split('.').map(Number);
var isTooOld =
  running[0] < NEEDED_MAJOR || (running[0] === NEEDED_MAJOR && running[1] < NEEDED_MINOR);

if (isTooOld) {
  process.stderr.write(
    'stage2-stress: this is Node ' +
      process.versions.node +
      ', but Node ' +
      NEEDED_MAJOR +
      '.' +
      NEEDED_MINOR +
      ' or newer is needed: `npm ci`, then `npm run stress` (or any npm script)' +
      ' brings Node 24 by itself\n',
  );
  process.exit(2);
}

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
