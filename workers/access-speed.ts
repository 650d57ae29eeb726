/** A process of the doctor: measures, and prints what it found as JSON. */
import { measureAccesses } from '../src/doctor/access-speed.ts';

process.stdout.write(JSON.stringify(measureAccesses()));
