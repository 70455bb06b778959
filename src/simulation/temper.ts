/**
 * What a simulated process does by itself, written as its command, so that it is whatever the
 * release says that the product starts: `listens=3 exits=never stops=0 status=1`. Seconds.
 */
export interface Temper {
  /** From its start until its port is bound. */
  readonly listens: number
  /** From its start until it ends by itself. */
  readonly exits: number
  /** From SIGTERM until it has ended. */
  readonly stops: number
  /** With which it ends by itself. */
  readonly status: number
}

export const STEADY: Temper = { listens: 0, exits: Infinity, stops: 0, status: 1 }

export function commandOf({ listens, exits, stops, status }: Temper): string {
  return `listens=${worded(listens)} exits=${worded(exits)} stops=${worded(stops)} status=${status}`
}

/** Of a command that names none of them: the steady one. */
export function temperOf(command: string): Temper {
  const said = new Map(
    [...command.matchAll(/(\w+)=(\S+)/g)].map(([, key = '', value = '']) => [
      key,
      value === 'never' ? Infinity : Number(value),
    ]),
  )
  return {
    listens: said.get('listens') ?? STEADY.listens,
    exits: said.get('exits') ?? STEADY.exits,
    stops: said.get('stops') ?? STEADY.stops,
    status: said.get('status') ?? STEADY.status,
  }
}

function worded(seconds: number): string {
  return seconds === Infinity ? 'never' : String(seconds)
}
