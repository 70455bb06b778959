/** Tar archives of any make, after POSIX ustar, which no tar would write so. */

export interface TarEntry {
  /** Bytes, in latin1. */
  readonly name: string
  readonly content?: string | Buffer
  /** `0` a file, `1` a hard link, `2` a link, `3` a device, `5` a directory, `6` a pipe, `L` a long name, `x` more of the next. */
  readonly type?: string
  readonly link?: string
  readonly mode?: number
  /** What its header says, if not the truth: twelve bytes in latin1. */
  readonly size?: string
}

const BLOCK = 512

/** Not compressed. */
export function tarball(entries: readonly TarEntry[]): Buffer {
  const end = Buffer.alloc(2 * BLOCK)
  return Buffer.concat([...entries.flatMap((it) => [headerOf(it), bodyOf(it)]), end])
}

function headerOf(entry: TarEntry): Buffer {
  const { name, content = '', type = '0', link = '', mode = 0o644, size } = entry
  const header = Buffer.alloc(BLOCK)
  header.write(name, 0, 100, 'latin1')
  header.write(`${octal(mode, 7)}\0`, 100)
  header.write(`${octal(0, 7)}\0${octal(0, 7)}\0`, 108)
  header.write(size ?? `${octal(Buffer.byteLength(content), 11)}\0`, 124, 12, 'latin1')
  header.write(`${octal(1_700_000_000, 11)}\0`, 136)
  header.write('        ', 148)
  header.write(type, 156)
  header.write(link, 157, 100, 'latin1')
  header.write('ustar\x0000', 257)
  header.write(`${octal(1, 7)}\0${octal(3, 7)}\0`, 329)
  const sum = header.reduce((all, byte) => all + byte, 0)
  header.write(`${octal(sum, 6)}\0 `, 148)
  return header
}

function bodyOf({ content = '' }: TarEntry): Buffer {
  const bytes = Buffer.from(content)
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)])
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}
