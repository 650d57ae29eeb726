/**
 * What serves a vCPU's fault beside a protocol that coalesces, or unmaps: the harness's own repair
 * (`model`), the kvm_pgtable_stage2_map of the kernel tree that is named (`kernel`), as its handler of
 * faults calls it, or any protocol of kind map.
 */
import { kernelTree, offersOf, PREFIX } from '../kernel/index.ts';
import { userPath } from '../package/paths.ts';
import type { Protocol } from '../port/protocol.ts';
import type { CpuModel } from '../arch/cpu-model.ts';
import type { Granule } from '../arch/geometry.ts';
import { scenarioOfKind } from '../scenarios/index.ts';
import { isServed } from '../stress/plan/plan.ts';
import { type KernelFields, kernelProtocols, refusingTree } from './kernel.ts';
import { type Catalogue, selectProtocols, type SelectedProtocol } from './registry.ts';
import { looksLikePath } from './protocol-file.ts';
import { about, refusal, the } from './refusal.ts';
import { nameOf } from './values.ts';

const MODEL = 'model';
const KERNEL = 'kernel';
/** As user_mem_abort calls it: with the lock held for reading in versions that can. */
const [SHARED, EXCLUSIVE] = ['map-hole-shared', 'map-hole'];

export interface FaultFields extends KernelFields {
  readonly faults?: string;
}

/** Name or path of the protocol that serves them; null: the harness does. */
export function servingName(request: FaultFields): string | null {
  const { faults = MODEL, kernel } = request;
  if (faults === MODEL) return null;
  if (faults === KERNEL && kernel === undefined) {
    throw refusal`${the('faults', KERNEL)} is the handler of a kernel tree: ${the('kernel')} says which one`;
  }
  const wanted = faults === KERNEL ? `${PREFIX}${handlerIn(kernel ?? '')}` : faults;
  const [named = wanted] = wanted.startsWith(PREFIX)
    ? (kernelProtocols(request, [wanted]) ?? [])
    : [];
  return named;
}

function handlerIn(kernel: string): string {
  const folder = userPath(kernel);
  const names = refusingTree(folder, kernel, () => offersOf(kernelTree(folder)));
  return names.some(({ name }) => name === SHARED) ? SHARED : EXCLUSIVE;
}

/** Refuses one that fills no holes. */
export function refuseServing({ name, kind }: Pick<Protocol, 'name' | 'kind'>): void {
  if (kind === 'map') return;
  throw refusal`${the('faults')}: protocol ${name} is of kind ${kind}; what a fault is served with is of
    kind map, map-hole say`;
}

/** Elsewhere sizes and permissions change in the handler, too. */
const SERVED_SCENARIOS: readonly string[] = [
  'adjust-populated',
  'adjust-half',
  scenarioOfKind('unmap'),
];

/** What of a request for `stress` has to do with it. */
export interface ServedRequest extends FaultFields {
  readonly protocols?: readonly string[];
  readonly mutants?: readonly string[];
  readonly against?: string;
  readonly scenarios?: readonly string[];
  readonly cpu?: Partial<CpuModel>;
  readonly granule?: Granule;
}

/** Loaded and checked; null: the harness does. `protocols`: those beside which it is to be. */
export async function servingOf(
  request: ServedRequest,
  protocols: readonly SelectedProtocol[],
  catalogue: Pick<Catalogue, 'protocols'>,
): Promise<SelectedProtocol | null> {
  const name = servingName(request);
  if (name === null) return null;
  const { mutants = [], scenarios = [], faults = '' } = request;
  if (request.against !== undefined) {
    throw refusal`${the('faults')} does not go with ${the('against')}: both are the second of two protocols`;
  }
  const other = scenarios.find((scenario) => !SERVED_SCENARIOS.includes(scenario));
  if (other !== undefined) {
    throw refusal`${the('faults', faults)} does not go with ${the('scenarios', other)}: it goes with
      ${SERVED_SCENARIOS.join(', ')}`;
  }
  if (mutants.length > 0) {
    throw refusal`${the('faults', faults)} does not go with ${the('mutants')}, whose handlers are theirs`;
  }
  if (!protocols.some(({ protocol }) => isServed(protocol.kind))) {
    throw refusal`${the('faults', faults)} takes ${the('protocols')} that coalesce or unmap`;
  }
  if (!looksLikePath(name)) {
    about('faults', () =>
      nameOf(
        'protocol',
        catalogue.protocols.map((each) => each.name),
      )(name),
    );
  }
  const [serving] = await selectProtocols([name], catalogue);
  if (serving === undefined) return null;
  refuseServing(serving.protocol);
  if (serving.protocol.name.startsWith(PREFIX)) refuseForTree(request);
  return serving;
}

function refuseForTree({ faults = '', granule = '4k', cpu = {} }: ServedRequest): void {
  if (granule !== '4k') {
    throw refusal`${the('faults', faults)} does not go with ${the('granule', granule)}: code of a kernel
      tree is compiled for 4K pages`;
  }
  if (cpu.hafdbs === true) {
    throw refusal`${the('faults', faults)} does not go with ${the('cpu', 'hafdbs=on')}: KVM maps nothing
      that hardware makes dirty`;
  }
}
