import { MINUTE, pause } from '../src/lib/clock.ts'

/**
 * Waits until `claim` holds; fails, saying what it waited for, after `deadline` milliseconds. That is far more than
 * it takes: a machine may be slow, and how fast something is is told by `bench/`.
 */
export async function until(
  what: string,
  claim: () => boolean | Promise<boolean>,
  deadline = MINUTE,
): Promise<void> {
  await untilSeen(what, async () => (await claim()) || undefined, deadline)
}

/** Waits until `look` sees something, and gives that; fails as `until` does. */
export async function untilSeen<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  deadline = MINUTE,
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
