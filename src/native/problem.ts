/** A C file or module that cannot become a protocol: one sentence, with file and line where known. */
export class NativeProblem extends Error {
  override readonly name = 'NativeProblem';
}
