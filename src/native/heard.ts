/** Who wants to know that a C compiler starts: it takes seconds, and whoever looks on would see nothing. */

type Listener = (file: string) => void;

let listener: Listener | null = null;

/** `heard` is called with what is compiled, until the function that comes back is. */
export function hearCompiler(heard: Listener): () => void {
  const before = listener;
  listener = heard;
  return () => {
    listener = before;
  };
}

export function compilerStarts(file: string): void {
  listener?.(file);
}
