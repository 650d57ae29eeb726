/**
 * Where a thread is that does not come back: its debugger is asked to pause it, which V8 does at any
 * loop or call, and says which lines it is in.
 */
import { Session } from 'node:inspector';
import { fileURLToPath } from 'node:url';
import type { Place } from './word.ts';

export interface PausePatience {
  /** A thread that waits in the kernel never pauses. */
  readonly pauseMs: number;
  /** One that has paused goes on at once; on a busy machine it may wait for its turn. */
  readonly resumeMs: number;
}

const PATIENCE: PausePatience = { pauseMs: 3000, resumeMs: 1000 };

interface Message {
  readonly method?: string;
  readonly params?: {
    readonly scriptId?: string;
    readonly url?: string;
    readonly callFrames?: readonly {
      readonly location: {
        readonly scriptId: string;
        readonly lineNumber: number;
        readonly columnNumber?: number;
      };
    }[];
  };
}

/** In a file, or where the thread is in WebAssembly, of the calls there, the innermost first. */
export type LoopPlace = Place | { readonly offsets: readonly number[] };

/**
 * The innermost call that is not `isOurs` and that the thread is in; null if that cannot be found out. The
 * caller may end the thread then.
 */
export async function placeOfLoop(
  threadId: number,
  isOurs: (file: string) => boolean,
  { pauseMs, resumeMs }: PausePatience = PATIENCE,
): Promise<LoopPlace | null> {
  const session = new Session();
  const { promise, resolve } = Promise.withResolvers<LoopPlace | null>();
  let timer = setTimeout(resolve, pauseMs, null);
  const urls = new Map<string, string>();
  let attached: string | null = null;
  let isOver = false;
  let place: LoopPlace | null = null;

  function placeIn(frames: NonNullable<Message['params']>['callFrames'] = []): LoopPlace | null {
    // A place in a module is its offset, as a column.
    const offsets = frames.flatMap(({ location: { scriptId, columnNumber = 0 } }) =>
      urls.get(scriptId)?.startsWith('wasm://') === true ? [columnNumber] : [],
    );
    if (offsets.length > 0) return { offsets };
    for (const { location } of frames) {
      const url = urls.get(location.scriptId) ?? '';
      if (!url.startsWith('file://')) continue;
      const file = fileURLToPath(url.replace(/[?#].*$/, ''));
      if (!isOurs(file)) return { file, line: location.lineNumber + 1 };
    }
    return null;
  }

  const send = (sessionId: string, method: string): void => {
    const message = JSON.stringify({ id: 1, method });
    session.post('NodeWorker.sendMessageToWorker', { sessionId, message });
  };
  session.on('NodeWorker.attachedToWorker', ({ params }) => {
    // Its workerId counts those that are there; the number of the thread is in the title only.
    if (!params.workerInfo.title.startsWith(`[worker ${threadId}]`)) return;
    if (isOver) return;
    attached = params.sessionId;
    send(attached, 'Debugger.enable');
    send(attached, 'Debugger.pause');
  });
  session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
    const { method, params: said = {} } = JSON.parse(params.message) as Message;
    if (method === 'Debugger.scriptParsed') urls.set(said.scriptId ?? '', said.url ?? '');
    // The caller ends the thread next: it runs again before that, and its debugger is off.
    if (method === 'Debugger.resumed') {
      attached = null;
      send(params.sessionId, 'Debugger.disable');
      session.post('NodeWorker.detach', { sessionId: params.sessionId }, () => resolve(place));
    }
    if (method !== 'Debugger.paused') return;
    place = placeIn(said.callFrames);
    clearTimeout(timer);
    timer = setTimeout(() => resolve(place), resumeMs);
    send(params.sessionId, 'Debugger.resume');
  });
  try {
    session.connect();
    session.post('NodeWorker.enable', { waitForDebuggerOnStart: false }, (error) => {
      if (error !== null) resolve(null);
    });
    return await promise;
  } catch {
    // Built without an inspector.
    return null;
  } finally {
    clearTimeout(timer);
    isOver = true;
    // Asked to pause, or paused, and without a debugger it would never end: terminate() would wait for ever.
    if (attached !== null) send(attached, 'Debugger.disable');
    session.disconnect();
  }
}
