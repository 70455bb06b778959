import { pause, SECOND } from '../src/lib/clock.ts'

/** Waits until `claim` holds; fails, saying what it waited for, after `deadline` milliseconds. */
export async function until(
  what: string,
  claim: () => boolean | Promise<boolean>,
  deadline = 20 * SECOND,
): Promise<void> {
  const end = performance.now() + deadline
  while (!(await claim())) {
    if (performance.now() > end)
      throw new Error(`waited ${deadline} ms in vain until ${what}`)
    await pause(20)
  }
}
