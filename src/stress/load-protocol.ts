/**
 * From a source to the protocol itself, in the main thread and in the hypervisor's worker alike.
 */
import { pathToFileURL } from 'node:url';
import { assertNever } from '../arch/assert.ts';
import { PROTOCOLS } from '../protocols/index.ts';
import type { Protocol } from '../port/index.ts';
import type { ProtocolSource } from './group.ts';

/**
 * Throws if there is none of that name, or the file does not load: the command line has checked
 * both before.
 */
export async function loadProtocol(source: ProtocolSource): Promise<Protocol> {
  switch (source.from) {
    case 'built-in':
      return named(source.name);
    case 'mutant': {
      // Only who needs them loads them: that is half of what a thread would load (docs/speed.md).
      const { MUTANTS } = await import('../mutants/index.ts');
      const mutant = MUTANTS.find((m) => m.name === source.name);
      if (mutant === undefined) throw new Error(`no mutant is called ${source.name}`);
      return mutant.seed.kind === 'protocol' ? mutant.seed.protocol : named(mutant.twin);
    }
    case 'file': {
      const module = (await import(moduleOf(source.path))) as { default: Protocol };
      return module.default;
    }
    default:
      return assertNever(source);
  }
}

/** URL of a user's module. */
export const moduleOf = (file: string): string => pathToFileURL(file).href;

function named(name: string): Protocol {
  const protocol = PROTOCOLS.find((p) => p.name === name);
  if (protocol === undefined) throw new Error(`no protocol is called ${name}`);
  return protocol;
}
