/**
 * From a source to the protocol itself, in the main thread and in the hypervisor's worker alike.
 */
import { assertNever } from '../../arch/assert.ts';
import { ALL_PROTOCOLS } from '../../protocols/index.ts';
import type { Mutant } from '../../mutants/mutant.ts';
import type { Protocol } from '../../port/index.ts';
import type { ProtocolSource } from './group.ts';

/**
 * Throws if there is none of that name, or the file does not load: the command line has checked
 * both before.
 */
export async function loadProtocol(source: ProtocolSource): Promise<Protocol> {
  switch (source.from) {
    case 'built-in':
      return named(source.name);
    // Only who needs the following loads it: that is more than half of what a thread would load.
    case 'mutant': {
      const mutant = await mutantNamed(source.name);
      if (mutant === undefined) throw new Error(`no mutant is called ${source.name}`);
      if (source.explored === true && mutant.explored !== undefined)
        return mutant.explored.protocol;
      return mutant.seed.kind === 'protocol' ? mutant.seed.protocol : named(mutant.twin);
    }
    case 'file': {
      const { loaderOf } = await import('../../loaders/index.ts');
      const loader = loaderOf(source.path);
      if (loader === null) throw new Error(`no protocol is in a file such as ${source.path}`);
      const { protocol } = await loader.load(source.path);
      return protocol as Protocol;
    }
    case 'sequence': {
      const { parseSequence, sequenceProtocol } = await import('../../sequence/index.ts');
      return sequenceProtocol(parseSequence(source.text), { name: source.name });
    }
    default:
      return assertNever(source);
  }
}

async function mutantNamed(name: string): Promise<Mutant | undefined> {
  const isIt = (mutant: Mutant): boolean => mutant.name === name;
  const { CONTROLS } = await import('../../mutants/control.ts');
  const control = CONTROLS.find(isIt);
  if (control !== undefined) return control;
  const { loadMutants } = await import('../../mutants/load.ts');
  return (await loadMutants()).find(isIt);
}

function named(name: string): Protocol {
  const protocol = ALL_PROTOCOLS.find((p) => p.name === name);
  if (protocol === undefined) throw new Error(`no protocol is called ${name}`);
  return protocol;
}
