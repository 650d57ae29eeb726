/** Which command answers which question; for help. */
interface Question {
  readonly question: string;
  readonly command: string;
  /** What follows the command. */
  readonly flags?: string;
}

export const QUESTIONS: readonly Question[] = [
  {
    question: 'is this sequence safe? what is missing?',
    command: 'explore',
    flags: '--sequence "…"',
  },
  { question: 'is my protocol safe, on which CPU?', command: 'explore', flags: '--protocol FILE' },
  {
    question: 'which of its steps is needed?',
    command: 'explore',
    flags: '--ablate --protocol FILE',
  },
  { question: 'what happens in that counterexample?', command: 'replay', flags: 'TOKEN' },
  { question: 'what does it cost? does it hold up?', command: 'stress', flags: '--protocol FILE' },
  {
    question: 'is it worth it, for figures of mine?',
    command: 'answer',
    flags: '--window NS --rate HZ',
  },
  { question: "is my kernel tree's code safe?", command: 'kernel', flags: 'DIR' },
  { question: 'what did a real kernel do?', command: 'check-trace', flags: 'LOG' },
  { question: 'how do I get such a log?', command: 'trace', flags: '--kernel IMAGE' },
  { question: 'how do I write a protocol?', command: 'init', flags: 'NAME' },
  { question: 'what is there to choose from?', command: 'list' },
  { question: 'would a bug be found at all?', command: 'selftest' },
  { question: 'is the memory model right?', command: 'litmus', flags: 'FOLDER' },
  { question: 'what can my machine not show?', command: 'doctor' },
  { question: 'how fast is it, beside C?', command: 'bench' },
  { question: 'can my shell complete all this?', command: 'completion', flags: 'bash' },
  { question: 'may I have that as a page, or for CI?', command: 'report', flags: 'RUN.json' },
  { question: 'did anything get worse?', command: 'compare', flags: 'OLD.json NEW.json' },
  { question: 'what do these shards come to?', command: 'merge', flags: 'A.json B.json' },
];

/** `is it worth it?   answer -- --window NS --rate HZ`. */
export function questionRows(): readonly (readonly [string, string])[] {
  return QUESTIONS.map(({ question, command, flags }) => [
    question,
    flags === undefined ? command : `${command} -- ${flags}`,
  ]);
}
