/** A protocol run on a port. What it throws comes from its author: the message says whose, and where. */
import { Stopped } from '../../machine/tlb/shootdown.ts';
import type { TransitionCpu } from '../../machine/hypervisor/transition-cpu.ts';
import { PoolExhausted } from '../../pgtable/page-pool.ts';
import { checkReturned } from '../../port/checked-port.ts';
import type { Protocol, Transition } from '../../port/index.ts';
import { ProtocolFailure } from '../../port/protocol-failure.ts';
import { thrownBy } from '../../port/thrown.ts';

export function runNamed(protocol: Protocol, port: TransitionCpu, transition: Transition): void {
  try {
    checkReturned(protocol.run(port.cpu, transition, port.tables));
  } catch (error) {
    if (error instanceof Stopped || error instanceof PoolExhausted) throw error;
    throw new ProtocolFailure(thrownBy(protocol, error));
  }
}
