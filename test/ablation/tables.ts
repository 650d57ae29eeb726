/** `explore --ablate` of a built-in protocol, with loads alone: stores show nothing more there. */
import { ablationRows, type Explored, runsOn } from '../../src/ablation/index.ts';
import { variantsOn } from '../../src/exploration/ablate.ts';
import { parseCpu } from '../../src/request/cpu-knobs.ts';
import { exploreProtocol } from '../../src/explore/protocol/index.ts';
import type { Protocol } from '../../src/port/index.ts';
import type { AblationRow, ExploreRun } from '../../src/result/explore.ts';

/** One of each BBM level. */
const CPUS = ['bbm=0', 'bbm=1', 'bbm=2', 'bbm=3,multihit=new'] as const;

/** Those that a protocol is meant for. */
export function cpusOf({ cpu, claims }: Protocol): readonly string[] {
  const least = Math.min(...(cpu?.bbm ?? [claims.neverInvalid === true ? 1 : 0]));
  return CPUS.slice(least);
}

export function ablated(protocol: Protocol, cpus: readonly string[]): readonly AblationRow[] {
  const variants = variantsOn(protocol, 2);
  const explored = cpus.map((text): Explored => {
    const cpu = parseCpu(text);
    const bbm = cpu.bbm?.[0] ?? 0;
    const run = (of: Protocol): ExploreRun =>
      exploreProtocol({ protocol: of, cpu, kinds: ['load'] });
    const base = run(protocol);
    const runs = variants.map((one) => (runsOn(one, bbm) ? run(one.protocol) : base));
    return { cpu: text, bbm, base, variants: runs };
  });
  return ablationRows(protocol, variants, explored);
}
