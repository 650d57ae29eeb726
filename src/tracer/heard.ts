/** What the plugin and the guest program say, line by line (tools/kvm-trace). */

export type Heard =
  | { readonly kind: 'events'; readonly count: number }
  | { readonly kind: 'step'; readonly text: string }
  | { readonly kind: 'summary'; readonly counts: Readonly<Record<string, number>> }
  /** Of the plugin, the guest program or the kernel: no trace comes of it. */
  | { readonly kind: 'problem'; readonly text: string };

/** Null: of QEMU, or of the kernel's console. */
export function heard(line: string): Heard | null {
  const [, word, rest = ''] =
    /kvm-trace: (events|step|summary|error:|failed:) ?(.*)$/.exec(line) ?? [];
  switch (word) {
    case 'events':
      return { kind: 'events', count: Number(rest) };
    case 'step':
      return { kind: 'step', text: rest };
    case 'summary':
      return { kind: 'summary', counts: countsIn(rest) };
    case 'error:':
    case 'failed:':
      return { kind: 'problem', text: rest };
    default: {
      const [, panic] = /Kernel panic - not syncing: (.*)$/.exec(line) ?? [];
      return panic === undefined ? null : { kind: 'problem', text: `kernel panic: ${panic}` };
    }
  }
}

function countsIn(text: string): Readonly<Record<string, number>> {
  const pairs = text.split(' ').map((pair) => pair.split('='));
  return Object.fromEntries(pairs.map(([name = '', count]) => [name, Number(count)]));
}
