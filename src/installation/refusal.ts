/** Why a command can't do what it was told, in one sentence for whoever typed it. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  /** 2 where the command line itself is wrong. */
  readonly exitCode: number

  constructor(message: string, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}
