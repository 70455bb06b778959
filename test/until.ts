import { pause, SECOND } from '../src/lib/clock.ts'

/** Waits until `claim` holds; fails, saying what it waited for, after `deadline` milliseconds. */
export async function until(
  what: string,
  claim: () => boolean | Promise<boolean>,
  deadline = 20 * SECOND,
): Promise<void> {
  await untilSeen(what, async () => (await claim()) || undefined, deadline)
}

/** Waits until `look` sees something, and gives that; fails as `until` does. */
export async function untilSeen<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  deadline = 20 * SECOND,
): Promise<T> {
  const end = performance.now() + deadline
  for (;;) {
    const seen = await look()
    if (seen !== undefined) return seen
    if (performance.now() > end)
      throw new Error(`waited ${deadline} ms in vain until ${what}`)
    await pause(20)
  }
}
