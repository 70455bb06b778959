/** A router asked as fast as it answers, by the test's own process, for the tests that say no request may be lost. */

import type { TestContext } from 'node:test'

import type { Got } from './a-router.ts'

/** Asks again and again, `width` at once; `stop` resolves to what was no 200. */
export function underLoad(
  t: TestContext,
  width: number,
  ask: () => Promise<Got>,
): { sent(): number; stop(): Promise<unknown[]> } {
  const over = new AbortController()
  const failures: unknown[] = []
  let sent = 0
  t.after(() => over.abort())
  const askers = Promise.all(Array.from({ length: width }, asker))
  return {
    sent: () => sent,
    async stop() {
      over.abort()
      await askers
      return failures
    },
  }

  async function asker(): Promise<void> {
    while (!over.signal.aborted) {
      sent++
      try {
        const got = await ask()
        if (got.status !== 200) failures.push(got)
      } catch (error) {
        failures.push(error)
      }
    }
  }
}
