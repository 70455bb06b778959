/** Bytes that were right, and then something happened to them. */

import * as fc from 'fast-check'

/** One change: where, how, and what with. */
export type Change = readonly [at: number, byte: number, how: number, length: number]

export const changes: fc.Arbitrary<Change[]> = fc.array(
  fc.tuple(
    fc.nat(),
    fc.nat({ max: 255 }),
    fc.nat({ max: 4 }),
    fc.integer({ min: 1, max: 64 }),
  ),
  { minLength: 1, maxLength: 6 },
)

/** Bytes set, left out, put in, repeated, or all from there on gone. */
export function changed(whole: Buffer, all: readonly Change[]): Buffer {
  return all.reduce<Buffer>((bytes, [where, byte, how, length]) => {
    const at = where % (bytes.length + 1)
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
    const middles = [
      [Buffer.of(byte), after.subarray(1)],
      [after.subarray(length)],
      [Buffer.alloc(length, byte), after],
      [after.subarray(0, length), after],
      [],
    ]
    return Buffer.concat([before, ...(middles[how] ?? [])])
  }, whole)
}
