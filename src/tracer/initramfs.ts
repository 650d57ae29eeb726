/** The first file system of the traced kernel: our program as /init, and what it is given. */
import { CHARACTER_DEVICE, cpioArchive, FOLDER, joinArchives, PROGRAM } from './cpio.ts';

/** Where the user's own program lies. */
export const USER_PROGRAM = 'program';

export interface Initramfs {
  readonly init: Uint8Array;
  /** Run instead of what ours does; null: none. */
  readonly program: Uint8Array | null;
  /** An archive of the user's, whose files are there too; null: none. */
  readonly user: Uint8Array | null;
}

export function initramfs({ init, program, user }: Initramfs): Uint8Array {
  const ours = cpioArchive([
    { name: 'dev', mode: FOLDER },
    // The kernel gives it to the first program as its standard output.
    { name: 'dev/console', mode: CHARACTER_DEVICE, device: { major: 5, minor: 1 } },
    { name: 'proc', mode: FOLDER },
    { name: 'sys', mode: FOLDER },
    { name: 'init', mode: PROGRAM, content: init },
    ...(program === null ? [] : [{ name: USER_PROGRAM, mode: PROGRAM, content: program }]),
  ]);
  // Ours comes last: its /init is the one that runs.
  return user === null ? ours : joinArchives([user, ours]);
}
