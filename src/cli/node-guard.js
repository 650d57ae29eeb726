/**
 * Preloaded with --import, before any TypeScript: says what is wrong when the Node that runs cannot
 * run this project. Under npm that does not happen, node_modules/.bin/node is Node 24. Old syntax
 * only: it must parse on Node 12.
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
