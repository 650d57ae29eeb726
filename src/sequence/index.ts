/** Plain sequences of steps as protocols: grammar, errors, and back to text. */
export { sequenceFile } from './file.ts';
export { sequenceOf } from './from-trace.ts';
export { packSequence, unpackSequence } from './pack.ts';
export { parseSequence } from './parse.ts';
export { sequenceProtocol } from './protocol.ts';
export { type Fix, type Judge, leastOf, repaired, repairOf } from './repair.ts';
export {
  type Action,
  type Place,
  type Sequence,
  SequenceError,
  type Step,
  VALUES,
} from './steps.ts';
export { actionText, commandText, writeSequence } from './write.ts';
