/**
 * Which Node this project needs, and what to say where another one runs. Old syntax only: it must
 * parse on Node 12.
 */
var NEEDED_MAJOR = 22;
var NEEDED_MINOR = 18;

/** `version`: as process.versions.node has it. */
export function isTooOld(version) {
  var running = version.split('.').map(Number);
  return running[0] < NEEDED_MAJOR || (running[0] === NEEDED_MAJOR && running[1] < NEEDED_MINOR);
}

/** `remedy`: what brings one, as the rest of a sentence. */
export function tooOldText(version, remedy) {
  return (
    'stage2-stress: this is Node ' +
    version +
    ', but Node ' +
    NEEDED_MAJOR +
    '.' +
    NEEDED_MINOR +
    ' or newer is needed: ' +
    remedy +
    '\n'
  );
}
