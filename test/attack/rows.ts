/** The table of what a hostile dyno tried: a row each, with what was expected of it. */

import assert from 'node:assert/strict'

export interface Row {
  readonly group: string
  readonly attempt: string
  readonly expected: string
  readonly result: string
  readonly held: boolean
}

/** Of what `attacker.py` prints. */
export function rowsIn(text: string): Row[] {
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line) => {
    assert.ok(line.startsWith('{'), text)
    return JSON.parse(line) as Row
  })
}

/** Of what is seen from outside. */
export function rowOf(
  attempt: string,
  expected: string,
  result: unknown,
  held: boolean,
): Row {
  return { group: 'bomb', attempt, expected, result: String(result), held }
}

/** Prints them; throws where one did not hold, or where fewer were tried. */
export function assertHeld(rows: readonly Row[], atLeast: number): void {
  for (const { group, attempt, expected, result, held } of rows) {
    console.log(
      `${held ? 'held' : 'OPEN'}  ${group}: ${attempt} — ${result} (${expected})`,
    )
  }
  assert.ok(rows.length >= atLeast, `only ${rows.length} attempts were made`)
  assert.deepEqual(
    rows.filter(({ held }) => !held),
    [],
  )
}
