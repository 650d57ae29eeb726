/**
 * The engines as functions: which protocols fault a vCPU on this machine, and is that all they do?
 *
 *   node examples/04-from-a-script.ts
 */
import { explore, stress } from 'stage2-stress';

const protocols = ['bbm-early', 'rfc-nt-intended'];

for (const protocol of protocols) {
  const { runs } = await explore({ protocol, cpu: { nt: 'translate' } });
  for (const run of runs) console.log(`${protocol}: ${run.verdict} in ${run.states} states`);
}

const { verdict, runs, controls } = await stress({ protocols, vcpus: [1], timeMs: 8_000, seed: 1 });
console.log(`controls caught: ${controls.filter((control) => control.caught).length}`);
for (const run of runs) {
  console.log(`${run.protocol}: ${run.transitionsHit} of ${run.transitions} transitions hit`);
}
console.log(verdict);
