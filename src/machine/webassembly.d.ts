/**
 * The few WebAssembly names that the machine and compiled protocols use; TypeScript keeps them in its
 * DOM library, which Node has no use for.
 */
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { initial: number; maximum: number; shared: true });
    readonly buffer: SharedArrayBuffer;
  }
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>);
    static imports(module: Module): { module: string; name: string; kind: string }[];
  }
  class Global {
    value: unknown;
  }
  class RuntimeError extends Error {}
  type ImportValue = Memory | ((...operands: never[]) => unknown);
  function validate(bytes: Uint8Array<ArrayBuffer>): boolean;
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, ImportValue>>);
    readonly exports: Record<string, unknown>;
  }
}
