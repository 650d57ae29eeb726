/** Where in a file something is: a protocol's function, or the call that is running now. */
import { Session } from 'node:inspector';
import { fileURLToPath } from 'node:url';
import { foreignTextOf, type SourcePlace } from '../port/foreign.ts';
import type { Protocol } from '../port/index.ts';
import { placeNow } from '../port/places.ts';
import type { Place } from './word.ts';

/** `protocol mine threw: no DSB is called "sy" (/home/me/mine.ts:12:9)`, taken apart. */
export function placed(text: string): { readonly text: string; readonly place: Place | null } {
  const [, what, file, line] = /^(.*) \((.*?):(\d+)(?::\d+)?\)$/.exec(text) ?? [];
  if (what === undefined || file === undefined) {
    return { text: text.replace(/ \(no place known\)$/, ''), place: null };
  }
  return { text: what, place: { file, line: Number(line) } };
}

/** Of the protocol's code that is running now; null if none is. */
export function placeOfCaller(protocol: Protocol): Place | null {
  return inFile(placeNow(protocol));
}

/** Null for a place in no file. */
export function inFile(place: SourcePlace | null | undefined): Place | null {
  if (!place || place.file === null) return null;
  return { file: place.file, line: place.line };
}

interface Property {
  readonly name: string;
  readonly value?: { readonly value?: { readonly scriptId: string; readonly lineNumber: number } };
}

/**
 * Where a protocol's function stands. V8 tells its debugger only: slow, and code runs slower after it,
 * so this is for a thread that has nothing more to do.
 */
export function placeOfRun(protocol: Protocol): Place | null {
  const foreign = foreignTextOf(protocol);
  // What V8 knows of is the harness's own stand-in.
  if (foreign !== null) return inFile(foreign.start);
  const session = new Session();
  const name = '__stage2StressProtocol';
  const globals = globalThis as Record<string, unknown>;
  try {
    session.connect();
    const urls = new Map<string, string>();
    session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url));
    session.post('Debugger.enable');
    globals[name] = protocol;
    let place: Place | null = null;
    session.post(
      'Runtime.evaluate',
      { expression: `globalThis.${name}.run` },
      (_error, evaluated) => {
        const { objectId } = evaluated?.result ?? {};
        if (objectId === undefined) return;
        session.post('Runtime.getProperties', { objectId }, (_failed, properties) => {
          const all = (properties?.internalProperties ?? []) as unknown as readonly Property[];
          const at = all.find((p) => p.name === '[[FunctionLocation]]')?.value?.value;
          const url = at === undefined ? undefined : urls.get(at.scriptId);
          if (at === undefined || url?.startsWith('file://') !== true) return;
          place = { file: fileURLToPath(url.replace(/[?#].*$/, '')), line: at.lineNumber + 1 };
        });
      },
    );
    return place;
  } catch {
    // Built without an inspector: the file alone must do.
    return null;
  } finally {
    delete globals[name];
    session.disconnect();
  }
}
