/**
 * Archives of the form `newc`, as Linux unpacks them into its first file system
 * (Documentation/driver-api/early-userspace/buffer-format.rst): per file a header of 13 numbers in
 * hexadecimal, name and content, each padded to four bytes.
 *
 * Written here because an archive with a device node needs neither a tool nor a right to make one.
 */

export interface CpioFile {
  /** Without a slash in front. Folders come before what is in them. */
  readonly name: string;
  /** Kind and permissions, as in `st_mode`. */
  readonly mode: number;
  readonly content?: Uint8Array;
  /** Of a device node. */
  readonly device?: { readonly major: number; readonly minor: number };
}

export const FOLDER = 0o040_755;
export const PROGRAM = 0o100_755;
export const CHARACTER_DEVICE = 0o020_600;

const MAGIC = '070701';
const ALIGNMENT = 4;
const END: CpioFile = { name: 'TRAILER!!!', mode: 0 };

export function cpioArchive(files: readonly CpioFile[]): Uint8Array {
  const parts = [...files, END].flatMap((file, i) => entry(file, i + 1));
  return Buffer.concat(parts);
}

function entry(
  { name, mode, content = new Uint8Array(), device }: CpioFile,
  inode: number,
): Buffer[] {
  const path = Buffer.from(`${name}\0`, 'utf8');
  const numbers = [
    ...[inode, mode, 0, 0, 1, 0, content.length],
    ...[0, 0, device?.major ?? 0, device?.minor ?? 0],
    ...[path.length, 0],
  ];
  const head = MAGIC + numbers.map((n) => n.toString(16).toUpperCase().padStart(8, '0')).join('');
  return [padded(Buffer.concat([Buffer.from(head, 'latin1'), path])), padded(Buffer.from(content))];
}

function padded(bytes: Buffer): Buffer {
  const missing = -bytes.length & (ALIGNMENT - 1);
  return missing === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(missing)]);
}

/** One archive after another: later files replace earlier ones of the same name. */
export function joinArchives(archives: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(archives.map((archive) => padded(Buffer.from(archive))));
}
