/** What follows a fault: the end, the next instruction, the same one again, or a handler. */
import { describe, expect, it } from 'vitest';
import { statesOf } from './states.ts';

const head = (variant: string): string =>
  `AArch64 T\n${variant}\n{ pte_x=(valid:0); 0:X1=x; 0:X0=(oa:PA(x)); 0:X2=PTE(x); }\n`;
const SHOWN = '\nlocations [fault(P0,x); 0:X5;]\nexists (true)';
const FAULT = 'Fault(P0,x,D-MMU:Translation);';

describe('a fault', () => {
  it('ends the thread', () => {
    const code = 'P0 ;\nLDR W6,[X1] ;\nMOV W5,#1 ;';
    expect(statesOf(head('Variant=fatal') + code + SHOWN, 'ets2')).toEqual([`0:X5=0; ${FAULT}`]);
  });

  it('is skipped', () => {
    const code = 'P0 ;\nLDR W6,[X1] ;\nMOV W5,#1 ;';
    expect(statesOf(head('Variant=skip') + code + SHOWN, 'ets2')).toEqual([`0:X5=1; ${FAULT}`]);
  });

  it('is retried once, and an execution that faults again is dropped', () => {
    const code = 'P0 | P1 ;\nLDR W6,[X1] | STR X0,[X2] ;\nMOV W5,#1 | ;';
    const source = head('Variant=handled').replace('0:X0', '1:X2=PTE(x); 1:X0') + code + SHOWN;
    expect(statesOf(source, 'ets2')).toEqual(['0:X5=1;', `0:X5=1; ${FAULT}`]);
  });

  it('runs the handler, which returns where ELR_EL1 points', () => {
    const code = [
      'P0          | P0.F           ;',
      'LDR W6,[X1] | ADR X9,L0      ;',
      'MOV W5,#1   | MSR ELR_EL1,X9 ;',
      'L0:         | MOV W7,#4      ;',
      'ADD W5,W5,#2 | ADD W5,W5,W7   ;',
      '            | ERET           ;',
    ];
    expect(statesOf(head('Variant=vmsa') + code.join('\n') + SHOWN, 'ets2')).toEqual([
      `0:X5=6; ${FAULT}`,
    ]);
  });

  it('returns to the access that faulted unless told otherwise', () => {
    const code = [
      'P0          | P0.F        ;',
      'LDR W6,[X1] | STR X0,[X2] ;',
      'MOV W5,#1   | DSB ISH     ;',
      '            | ERET        ;',
    ];
    expect(statesOf(head('Variant=vmsa') + code.join('\n') + SHOWN, 'base')).toEqual([
      `0:X5=1; ${FAULT}`,
    ]);
  });
});
