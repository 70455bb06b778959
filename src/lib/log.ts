/** What a part says of itself, one JSON object a line, on standard error. */
export interface Log {
  info(message: string, facts?: Facts): void
  error(message: string, error: unknown, facts?: Facts): void
}

export type Facts = Readonly<Record<string, unknown>>

export function jsonLog(part: string, write: (line: string) => void): Log {
  return {
    info: (message, facts) => put('info', message, facts),
    error: (message, error, facts) =>
      put('error', message, { ...facts, cause: causesOf(error) }),
  }

  function put(level: string, message: string, facts: Facts = {}): void {
    const at = new Date().toISOString()
    write(`${JSON.stringify({ at, level, part, message, ...facts })}\n`)
  }
}

export const silentLog: Log = { info() {}, error() {} }

/** An error, what caused it, what caused that; each of an aggregate's. */
export function causesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)]
  const inner = error instanceof AggregateError ? error.errors : []
  const rest = error.cause === undefined ? [] : causesOf(error.cause)
  return [error.stack ?? error.message, ...inner.flatMap(causesOf), ...rest]
}
