/**
 * Packs, and the pushes that carry them, byte by byte: also such as no git makes (gitformat-pack(5),
 * gitprotocol-pack(5)).
 */

import { createHash, randomBytes } from 'node:crypto'
import { deflateSync } from 'node:zlib'

/** In place of an object's name: there is none. */
export const NOTHING = '0'.repeat(40)

/** One of git's own, its length before it (gitprotocol-common(5)). */
export function line(text: string): string {
  return (Buffer.byteLength(text, 'latin1') + 4).toString(16).padStart(4, '0') + text
}

/** `to`: of an object's name. */
export function push(
  pack: Buffer,
  to: string,
  ref = 'refs/heads/topic',
  from = NOTHING,
): Buffer {
  const command = line(`${from} ${to} ${ref}\0 report-status side-band-64k agent=fuzz\n`)
  return Buffer.concat([Buffer.from(`${command}0000`, 'latin1'), pack])
}

/** Of what is there, by so many names. */
export function pushAll(to: string, refs: readonly string[]): Buffer {
  const able = '\0 report-status side-band-64k agent=fuzz'
  const commands = refs.map((ref, i) =>
    line(`${NOTHING} ${to} ${ref}${i === 0 ? able : ''}\n`),
  )
  return Buffer.concat([Buffer.from(`${commands.join('')}0000`, 'latin1'), packOf([])])
}

type Kind = 'commit' | 'tree' | 'blob' | 'delta'
const KINDS: Readonly<Record<Kind, number>> = { commit: 1, tree: 2, blob: 3, delta: 7 }

export interface PackedObject {
  readonly kind: Kind
  readonly content: Buffer
  /** Of a delta: the object that it changes. */
  readonly base?: string
  /** What its header says, if not the truth. */
  readonly size?: number
}

/** After gitformat-pack(5). */
export function packOf(objects: readonly PackedObject[]): Buffer {
  const head = Buffer.alloc(12)
  head.write('PACK')
  head.writeUInt32BE(2, 4)
  head.writeUInt32BE(objects.length, 8)
  return closed(Buffer.concat([head, ...objects.map(packed)]))
}

function packed({ kind, content, base, size = content.length }: PackedObject): Buffer {
  const bytes = [(KINDS[kind] << 4) | (size & 15)]
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 128
    bytes.push(rest & 127)
  }
  const its = base === undefined ? Buffer.alloc(0) : Buffer.from(base, 'hex')
  return Buffer.concat([Buffer.from(bytes), its, deflateSync(content)])
}

/** With the checksum that a pack ends with. */
export function closed(pack: Buffer): Buffer {
  return Buffer.concat([pack, createHash('sha1').update(pack).digest()])
}

/** By which git knows an object of that content. */
export function nameOf(kind: Kind, content: Buffer): string {
  const head = `${kind} ${content.length}\0`
  return createHash('sha1').update(head).update(content).digest('hex')
}

/** Of a tree. */
export function entry(mode: string, name: string, object: string): Buffer {
  return Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(object, 'hex')])
}

export function commitOf(tree: Buffer): Buffer {
  const who = 'dev <dev@example.com> 1700000000 +0000'
  return Buffer.from(
    `tree ${nameOf('tree', tree)}\nauthor ${who}\ncommitter ${who}\n\nA change\n`,
  )
}

/** A commit of that tree, and all that it needs, as a push. */
export function pushOf(tree: Buffer, ...blobs: readonly Buffer[]): Buffer {
  const commit = commitOf(tree)
  const objects: PackedObject[] = [
    { kind: 'commit', content: commit },
    { kind: 'tree', content: tree },
    ...blobs.map((content): PackedObject => ({ kind: 'blob', content })),
  ]
  return push(packOf(objects), nameOf('commit', commit))
}

/** To be built: a tree of ten that are each of ten, and so on, over one megabyte: 100 GB in a pack of one MB. */
export function aTreeOfTens(): Buffer {
  const blob = randomBytes(1024 ** 2)
  const trees: Buffer[] = []
  for (let depth = 0; depth < 5; depth += 1) {
    const below = trees.at(-1)
    const [mode, name] = below
      ? ['40000', nameOf('tree', below)]
      : ['100644', nameOf('blob', blob)]
    const ten = Array.from({ length: 10 }, (_, i) => entry(mode, `${i}`, name))
    trees.push(Buffer.concat(ten))
  }
  const commit = commitOf(trees.at(-1) ?? blob)
  const objects: PackedObject[] = [
    { kind: 'commit', content: commit },
    ...trees.map((content): PackedObject => ({ kind: 'tree', content })),
    { kind: 'blob', content: blob },
  ]
  return push(packOf(objects), nameOf('commit', commit), 'refs/heads/main')
}

/** A file's content, and the name of its blob. */
export const text = Buffer.from('hello\n')
export const TEXT = nameOf('blob', text)

function sevenBits(size: number): Buffer {
  const all: number[] = []
  for (let rest = size; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...all, rest])
    all.push((rest % 128) | 128)
  }
}

/** After gitformat-pack(5): copies `base` again and again. */
export function multiplying(base: Buffer, times: number): Buffer {
  const size = base.length
  // Copy from the beginning: no bytes of an offset, three of a size.
  const copy = Buffer.of(0xf0, size & 255, (size >> 8) & 255, (size >> 16) & 255)
  const copies = Array.from({ length: times }, () => copy)
  return Buffer.concat([sevenBits(size), sevenBits(size * times), ...copies])
}

/** What makes of `base` something else, by some bytes at its end (gitformat-pack(5)). */
export function lengthening(base: Buffer, by: Buffer): Buffer {
  const size = base.length
  const copy = Buffer.of(0xf0, size & 255, (size >> 8) & 255, (size >> 16) & 255)
  const head = [sevenBits(size), sevenBits(size + by.length), copy]
  return Buffer.concat([...head, Buffer.of(by.length), by])
}
