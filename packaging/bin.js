#!/usr/bin/env node
/**
 * The program of the installed package. Node below the needed version starts the one that comes with
 * the package where there is one for this system (optional dependencies of package.json), else says
 * what to do. Old syntax only: it must parse on Node 12.
 */
import { spawn } from 'child_process';
import { createRequire } from 'module';
import { fileURLToPath } from 'url';
import { isTooOld, tooOldText } from './src/cli/node-needed.js';

var SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Path of a Node that npm has installed beside this package; null where it has none. */
function nodeOfPackage() {
  try {
    var name = 'node-' + process.platform + '-' + process.arch;
    return createRequire(import.meta.url).resolve(name + '/bin/node');
  } catch {
    return null;
  }
}

function startWith(node) {
  var args = [fileURLToPath(import.meta.url)].concat(process.argv.slice(2));
  var child = spawn(node, args, { stdio: 'inherit' });
  // A terminal signals both; whoever signals this process alone means the child.
  SIGNALS.forEach(function (signal) {
    process.on(signal, function () {
      child.kill(signal);
    });
  });
  child.on('error', function (error) {
    process.stderr.write('stage2-stress: ' + node + ' does not start: ' + error.message + '\n');
    process.exit(2);
  });
  child.on('exit', function (code, signal) {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

if (isTooOld(process.versions.node)) {
  var node = nodeOfPackage();
  if (node === null) {
    process.stderr.write(tooOldText(process.versions.node, 'put a newer one first on the PATH'));
    process.exit(2);
  }
  startWith(node);
} else {
  // Later than the look at the version: older Node cannot read what it imports.
  void import('./src/cli/node-guard.js').then(function () {
    return import('./src/cli/main.js');
  });
}
