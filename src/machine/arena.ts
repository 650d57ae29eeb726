/**
 * The shared memory of one machine, and the views every thread makes over it.
 *
 * The SharedArrayBuffer is the buffer of a shared WebAssembly.Memory, because the walker's 64-bit
 * atomic load is WebAssembly over the same bytes. What crosses a thread boundary is the memory and
 * the configuration, nothing else.
 */
import type { Geometry } from '../arch/geometry.ts';
import { geometryOf } from '../arch/geometry.ts';
import { assert } from '../arch/assert.ts';
import { type Layout, layoutOf, type MachineConfig } from './layout.ts';

/** Plain data: may be posted to a worker. */
export interface ArenaHandle {
  readonly memory: WebAssembly.Memory;
  readonly config: MachineConfig;
}

export interface Arena {
  readonly handle: ArenaHandle;
  readonly layout: Layout;
  readonly geometry: Geometry;
  readonly i32: Int32Array<SharedArrayBuffer>;
  readonly u8: Uint8Array<SharedArrayBuffer>;
  /** All table pages: entry e of page p is element p * entriesPerTable + e. */
  readonly descriptors: BigUint64Array<SharedArrayBuffer>;
}

const WASM_PAGE = 65_536;

export function createArena(config: MachineConfig): Arena {
  const pages = Math.ceil(layoutOf(config).bytes / WASM_PAGE);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  return attachArena({ memory, config });
}

export function attachArena(handle: ArenaHandle): Arena {
  const layout = layoutOf(handle.config);
  const buffer = handle.memory.buffer;
  assert(buffer instanceof SharedArrayBuffer, 'the arena needs shared memory');
  assert(
    buffer.byteLength >= layout.bytes,
    `memory of ${buffer.byteLength} bytes is smaller than its layout`,
  );
  return {
    handle,
    layout,
    geometry: geometryOf(handle.config.granule),
    i32: new Int32Array(buffer),
    u8: new Uint8Array(buffer),
    descriptors: new BigUint64Array(
      buffer,
      layout.tablesB,
      layout.tablePages * layout.entriesPerTable,
    ),
  };
}
