/** What a push wants changed, as git tells a pre-receive hook on its standard input. */
export interface PushedRef {
  readonly from: string
  readonly to: string
  /** `refs/heads/main`. */
  readonly name: string
}

const NO_COMMIT = /^0+$/
const LINE = /^([0-9a-f]{40,64}) ([0-9a-f]{40,64}) (refs\/\S+)$/

export function parsePushedRefs(text: string): PushedRef[] {
  return text
    .split('\n')
    .map((line) => LINE.exec(line))
    .flatMap((match) =>
      match?.[1] && match[2] && match[3]
        ? [{ from: match[1], to: match[2], name: match[3] }]
        : [],
    )
}

/** The one to build: main or, without it, master. Undefined where neither got a commit. */
export function refToBuild(refs: readonly PushedRef[]): PushedRef | undefined {
  const pushed = refs.filter((ref) => !NO_COMMIT.test(ref.to))
  return ['refs/heads/main', 'refs/heads/master']
    .map((name) => pushed.find((ref) => ref.name === name))
    .find((ref) => ref !== undefined)
}
