/** Something that must always be true was not. */
export class Violation extends Error {
  override readonly name = 'Violation'
  /** Which of the invariants, by its name in docs/simulation.md. */
  readonly invariant: Invariant

  constructor(invariant: Invariant, message: string) {
    super(message)
    this.invariant = invariant
  }
}

export type Invariant =
  | 'no worker doubled'
  | 'one release command'
  | 'one process a dyno'
  | 'no web place unserved'
  | 'one address, one dyno'
  | 'no SIGTERM while routed'
  | 'no end while routed'
  | 'cool-off respected'
  | 'one true cause'
  | 'converges'
  | 'no leak'
  | 'cycles daily'
  | 'never stuck'
