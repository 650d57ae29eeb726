/** Which step of a protocol is needed: its operations recorded, and variants without one of them. */
export { type Play, type RecordedStep, recordSteps } from './record.ts';
export { ablationRows, type Explored } from './rows.ts';
export { runsOn, type Variant, variantNamed, variantsOf } from './variants.ts';
