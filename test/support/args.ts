/** Arguments as they are typed: `args('--protocol bbm-late --vcpus 1,2')`. No quotes, no escapes. */
export function args(typed: string): string[] {
  return typed.split(' ').filter((word) => word !== '');
}
