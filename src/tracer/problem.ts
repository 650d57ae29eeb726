/** Why no trace can be made: one sentence that says what would be right. */
export class TracerProblem extends Error {
  override readonly name = 'TracerProblem';
}
