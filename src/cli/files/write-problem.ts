/** Why something could not be written, in words. */

const WORDS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left there; free some, or choose another place',
  EDQUOT: 'the quota is used up; free some space, or choose another place',
  EFBIG: 'the file would be too large for where it is',
  ENOENT: 'its folder is not there any more; make it again',
  ENOTDIR: 'its folder is not there any more; make it again',
  EACCES: 'it may not be written; choose another place',
  EPERM: 'it may not be written; choose another place',
  EROFS: 'it may only be read there; choose another place',
  EISDIR: 'there is a folder of that name now',
  EPIPE: 'whoever read it has closed it',
  EIO: 'the device failed',
};

/** Null for an error that no system call is behind. */
export function fileProblem(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const { code, syscall } = error as { readonly code?: unknown; readonly syscall?: unknown };
  if (typeof code !== 'string' || typeof syscall !== 'string') return null;
  return WORDS[code] ?? `${syscall} failed (${code})`;
}
