/**
 * A module as a protocol. A run begins with the statics, the stack and the stack pointer as they were
 * when the module was made, whatever stopped the one before: `explore` ends a run by throwing through
 * the module's frames.
 */
import { CONTEXTS, GUEST_VMID } from '../arch/context.ts';
import type { Protocol } from '../port/protocol.ts';
import { BadArgument } from '../port/checked-port.ts';
import { type ForeignError, isForeign, type SourcePlace } from '../port/foreign.ts';
import type { Cpu } from '../port/cpu.ts';
import type { Tables } from '../port/tables.ts';
import { MEMORY_MAX_BYTES, STACK_BYTES, tooMuchMemory } from './compiler.ts';
import { addressOfEntry, importsOf, type PortOfRun } from './imports.ts';
import { CodePlaces } from './code-places.ts';
import { type LineTable, lineTableOf } from './line-table.ts';
import { sectionsOf } from './module-sections.ts';
import { NativeProblem } from './problem.ts';
import { HEADER } from './source-tree.ts';

/** `stage2_stress_abi()` of the header, and of those before it: 1 has no context in its description. */
const ABI = 2;
const ABIS: ReadonlySet<unknown> = new Set([1, ABI]);
/** `struct stage2_protocol` of the header: texts, then flags and a level of a byte each. */
const POINTER_BYTES = 4;
const TEXTS = 4;
const DESCRIBED_BYTES = POINTER_BYTES * TEXTS + 4;
const CONTEXT_BYTES = 4;
const WORDS = 'include/stage2-stress.h';
const LINKED_AS =
  'the comment at the top of include/stage2-stress.h has the command that links one';

type Run = (
  entry: number,
  level: number,
  ipa: bigint,
  size: bigint,
  old: bigint,
  wanted: bigint,
  pa: bigint,
  bbm: number,
) => void;

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly run: Run;
  readonly stackPointer: WebAssembly.Global;
  /** End of statics and stack. */
  readonly heapBase: number;
  /** Address of the `struct stage2_protocol`. */
  readonly protocol: number;
  /** Its description has a context. */
  readonly hasContext: boolean;
}

/** What a module says of itself: the fields of a protocol but for `run`. */
type Described = Record<Exclude<keyof Protocol, 'run' | 'exhibit'>, unknown>;

/** What is known of the text that a module was made from. */
export interface ModuleText {
  /** For messages. */
  readonly file: string;
  /** Lines of code of `run`; null where there is no text: the line table then counts. */
  readonly lines: number | null;
  /** Where `run` stands; null where there is no text. */
  readonly start: SourcePlace | null;
  /** `file:line:column` of a word in it, or the file. */
  readonly placeOf: (word: string) => string;
}

/** What is returned has the form of a protocol and is yet to be checked. Throws NativeProblem. */
export function protocolOf(
  wasm: Uint8Array<ArrayBuffer>,
  text: ModuleText,
): Partial<Described> & Pick<Protocol, 'run'> {
  const { file, lines, start } = text;
  const module = compiledModule(wasm, file);
  const sections = sectionsOf(wasm);
  if (sections.memoryBytes > MEMORY_MAX_BYTES) {
    const bytes = sections.memoryBytes.toLocaleString('en');
    throw new NativeProblem(`${file}: ${tooMuchMemory(`${bytes} bytes`)}`);
  }
  if (sections.hasStart) {
    throw new NativeProblem(
      `${file}: it has a start function; a protocol begins at stage2_run, each time anew`,
    );
  }
  const table = lineTableOf(sections);
  const places = new CodePlaces(table, sections.codeStart, isHeader);
  const port: PortOfRun = { cpu: NO_RUN, tables: NO_RUN, tableAt: new Map(), vmid: GUEST_VMID };
  const { memory, run, stackPointer, heapBase, protocol, hasContext } = instantiate(
    module,
    port,
    text,
  );
  const atStart = stackPointer.value as number;
  const pristine = new Uint8Array(memory.buffer, 0, heapBase).slice();
  let bytes = new Uint8Array(memory.buffer);

  const view = new DataView(memory.buffer);
  const described = {
    ...describe(view, protocol),
    ...(hasContext ? describeContext(view, protocol) : {}),
  };
  const runInModule: Protocol['run'] = (cpu, t, tables) => {
    if (bytes.buffer !== memory.buffer) bytes = new Uint8Array(memory.buffer);
    stackPointer.value = atStart;
    bytes.set(pristine);
    port.cpu = cpu;
    port.tables = tables;
    port.vmid = t.vmid;
    port.tableAt.clear();
    const { level, old, wanted, bbm } = t;
    const [ipa, size, pa] = [BigInt(t.ipa), BigInt(t.size), BigInt(t.pa)];
    run(addressOfEntry(t.entry), level, ipa, size, old, wanted, pa, bbm);
  };
  isForeign(runInModule, {
    lines: lines ?? codeLines(table),
    place: () => places.here(),
    start,
    placeAt: (offset) => places.at(offset),
    explain: (error) => explain(error, places, stackPointer.value as number),
  });
  return { ...described, run: runInModule };
}

/** Before the first run nobody calls the port: `stage2_run` alone does. */
const NO_RUN = new Proxy(Object.freeze({}), {
  get: () => {
    throw new BadArgument('the port was called outside of run()');
  },
}) as Cpu & Tables;

function compiledModule(wasm: Uint8Array<ArrayBuffer>, file: string): WebAssembly.Module {
  try {
    return new WebAssembly.Module(wasm);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new NativeProblem(`${file}: not a WebAssembly module: ${why}`);
  }
}

function instantiate(
  module: WebAssembly.Module,
  port: PortOfRun,
  { file, placeOf }: ModuleText,
): Exports {
  const offered = importsOf(port);
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (from === 'port' && Object.hasOwn(offered, name) && kind === 'function') continue;
    throw new NativeProblem(
      `${placeOf(name)}: it imports ${from}.${name}, which is not there: see ${WORDS}`,
    );
  }
  const { exports } = newInstance(module, { port: { ...offered } }, file);
  const {
    memory,
    stage2_run: run,
    stage2_stress_abi: abi,
    __stack_pointer: stackPointer,
    __heap_base: heapBase,
    stage2_protocol: protocol,
  } = exports;
  if (typeof abi !== 'function' || typeof run !== 'function') {
    throw new NativeProblem(
      `${file}: not made with include/stage2-stress.h: it exports no stage2_run`,
    );
  }
  const version = versionOf(abi as () => unknown, file);
  if (!ABIS.has(version)) {
    throw new NativeProblem(
      `${file}: made with another version's stage2-stress.h; compile it again`,
    );
  }
  if (
    !(memory instanceof WebAssembly.Memory) ||
    !(stackPointer instanceof WebAssembly.Global) ||
    !(heapBase instanceof WebAssembly.Global) ||
    !(protocol instanceof WebAssembly.Global)
  ) {
    throw new NativeProblem(
      `${file}: it must export memory, __stack_pointer, __heap_base and stage2_protocol; ${LINKED_AS}`,
    );
  }
  const { byteLength } = memory.buffer;
  const within = (name: string, global: WebAssembly.Global, end: number): number => {
    const at: unknown = global.value;
    if (typeof at === 'number' && at >= 0 && at <= end) return at;
    throw new NativeProblem(`${file}: ${name} lies outside of its memory; ${LINKED_AS}`);
  };
  if (!isMutable(stackPointer)) {
    throw new NativeProblem(`${file}: its __stack_pointer cannot be set; ${LINKED_AS}`);
  }
  return {
    memory,
    run: run as Run,
    stackPointer,
    heapBase: within('__heap_base', heapBase, byteLength),
    protocol: within(
      'stage2_protocol',
      protocol,
      byteLength - DESCRIBED_BYTES - (version === ABI ? CONTEXT_BYTES : 0),
    ),
    hasContext: version === ABI,
  };
}

/** What it says of the header that it was made with. */
function versionOf(abi: () => unknown, file: string): unknown {
  try {
    return abi();
  } catch {
    throw new NativeProblem(`${file}: its stage2_stress_abi() does not return a version`);
  }
}

function isMutable(global: WebAssembly.Global): boolean {
  try {
    const { value } = global;
    global.value = value;
    return true;
  } catch {
    return false;
  }
}

function newInstance(
  module: WebAssembly.Module,
  imports: Record<string, Record<string, WebAssembly.ImportValue>>,
  file: string,
): WebAssembly.Instance {
  try {
    return new WebAssembly.Instance(module, imports);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new NativeProblem(`${file}: ${why}`);
  }
}

/** `struct stage2_protocol`: four texts, three flags, a level. What is not said is left out. */
function describe(view: DataView, at: number): Partial<Described> {
  const text = (index: number): string | undefined => {
    const from = view.getUint32(at + POINTER_BYTES * index, true);
    if (from === 0 || from >= view.byteLength) return undefined;
    const bytes = new Uint8Array(view.buffer, from);
    const end = bytes.indexOf(0);
    return new TextDecoder().decode(bytes.subarray(0, end < 0 ? 0 : end));
  };
  const byte = (index: number): number => view.getUint8(at + POINTER_BYTES * TEXTS + index);
  const [name, kind, summary, origin] = [text(0), text(1), text(2), text(3)];
  return {
    ...(name === undefined ? {} : { name }),
    ...(kind === undefined ? {} : { kind }),
    ...(summary === undefined ? {} : { summary }),
    ...(origin === undefined ? {} : { origin }),
    claims: {
      ...(byte(0) === 0 ? {} : { neverInvalid: true }),
      ...(byte(1) === 0 ? {} : { handlesConflict: true }),
    },
    ...(byte(2) === 0 ? {} : { lock: 'shared' }),
    ...(byte(3) === 0 ? {} : { cpu: { bbm: [byte(3)] } }),
  };
}

/** The rest of it: whose context, and the VM's VMID. */
function describeContext(view: DataView, at: number): Partial<Described> {
  const from = at + DESCRIBED_BYTES;
  const context = view.getUint8(from);
  const vmid = view.getUint16(from + 2, true);
  return {
    // What no context has for a number is refused by name.
    ...(context === 0 ? {} : { context: CONTEXTS[context] ?? String(context) }),
    ...(vmid === 0 ? {} : { vmid }),
  };
}

/** Lines that the table names, the header's left out; null if it names none. */
function codeLines(table: LineTable): number | null {
  const own = table.places.filter(({ file }) => !isHeader(file));
  const lines = new Set(own.map(({ file, line }) => `${file}:${line}`));
  return lines.size === 0 ? null : lines.size;
}

const isHeader = (file: string): boolean => file === HEADER;

/** What V8 says of a trap, and what that is in a protocol. */
const TRAPS: readonly (readonly [RegExp, string])[] = [
  [
    /out of bounds/,
    'a plain access where this module has no memory; entries of tables are read by READ_ONCE() and ' +
      'written by WRITE_ONCE(), smp_store_release() or cmpxchg()',
  ],
  [/^unreachable/, 'BUG_ON(), or code that C leaves undefined, was reached'],
  [/divide by zero|remainder by zero/, 'a division by zero'],
  [/null function|signature mismatch|table index/, 'a call through a pointer to no function'],
];

function explain(error: unknown, places: CodePlaces, stackPointer: number): ForeignError | null {
  if (!(error instanceof Error)) return null;
  const place = places.inStack(error.stack ?? '');
  const where = place === null ? null : `${place.file}:${place.line}:${place.column}`;
  if (error instanceof RangeError && /call stack/.test(error.message)) {
    return { what: 'a recursion that does not end', where };
  }
  if (!(error instanceof WebAssembly.RuntimeError)) {
    return place === null ? null : { what: error.message, where };
  }
  if (/out of bounds/.test(error.message) && stackPointer < 0) {
    return { what: `more than ${STACK_BYTES / 1024} KiB of C stack`, where };
  }
  const known = TRAPS.find(([pattern]) => pattern.test(error.message));
  return { what: known?.[1] ?? error.message, where };
}
