/** At most so many at a time, the others in the order they came; a failure passes the turn on. */
export function atMost(most: number): (work: () => Promise<void>) => Promise<void> {
  const waiting: (() => void)[] = []
  let busy = 0
  return async (work) => {
    if (busy === most) await new Promise<void>((resolve) => waiting.push(resolve))
    else busy += 1
    try {
      await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else busy -= 1
    }
  }
}
