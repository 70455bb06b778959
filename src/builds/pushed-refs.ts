/**
 * What a push wants changed, as git tells a pre-receive hook on its standard input, and within which bounds.
 * Git writes a ref as a file, and each part of its name as a directory: twenty names of 1,800 parts took
 * 36,000 files of the disk, and nothing that counts objects sees them.
 */

import { Problem } from '../model/problem.ts'
import { runGit } from './run-git.ts'

export interface PushedRef {
  readonly from: string
  readonly to: string
  /** `refs/heads/main`. */
  readonly name: string
}

/** Of a repository. */
const MOST_REFS = 1000
/** Bytes of a name, and its parts: `refs/heads/main` has three. */
const LONGEST_NAME = 250
const MOST_PARTS = 10
/** Bytes: more than as many lines as there may be refs. */
const MOST_TEXT = 512 * 1024
/** Characters. */
const SHOWN = 80

const NO_COMMIT = /^0+$/
const LINE = /^([0-9a-f]{40,64}) ([0-9a-f]{40,64}) (refs\/\S+)$/

/** Throws the Problem `invalid_params` for names, and for more of them, than git is to see. */
export async function readPushedRefs(
  input: AsyncIterable<Buffer>,
): Promise<readonly PushedRef[]> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of input) {
    size += piece.length
    if (size > MOST_TEXT) throw tooMany()
    pieces.push(piece)
  }
  const lines = Buffer.concat(pieces).toString().split('\n')
  return lines.filter((line) => line !== '').map(pushedRef)
}

function pushedRef(line: string): PushedRef {
  const [, from, to, name] = LINE.exec(line) ?? []
  if (!from || !to || !name) {
    throw new Problem(
      'invalid_params',
      'The push has a name that is none of a branch or tag.',
    )
  }
  if (Buffer.byteLength(name) > LONGEST_NAME || name.split('/').length > MOST_PARTS) {
    throw new Problem(
      'invalid_params',
      `The name of a branch or tag has ${LONGEST_NAME} bytes and ${MOST_PARTS} parts at most: ${name.slice(0, SHOWN)}… has more.`,
    )
  }
  return { from, to, name }
}

/** Whether they are taken away, and nothing comes. */
export function areDeletions(refs: readonly PushedRef[]): boolean {
  return refs.every((ref) => NO_COMMIT.test(ref.to))
}

/**
 * Throws the Problem `invalid_params` where the repository would have more refs than it may. What the same
 * push deletes is counted as there: only git knows, later, whether it was.
 */
export async function refuseTooManyRefs(
  refs: readonly PushedRef[],
  gitEnvironment: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const added = refs.filter((ref) => NO_COMMIT.test(ref.from)).length
  if (added === 0) return
  const there = await runGit(
    ['for-each-ref', `--count=${MOST_REFS}`, '--format=x'],
    gitEnvironment,
  )
  if (there.split('\n').length - 1 + added > MOST_REFS) throw tooMany()
}

function tooMany(): Problem {
  return new Problem(
    'invalid_params',
    `A repository has ${MOST_REFS.toLocaleString('en')} branches and tags at most.`,
  )
}

const DEPLOYED = ['refs/heads/main', 'refs/heads/master']

/** Whether one that is built when it is pushed goes. */
export function deletesDeployed(refs: readonly PushedRef[]): boolean {
  return refs.some(({ name, to }) => DEPLOYED.includes(name) && NO_COMMIT.test(to))
}

/** The one to build: main or, without it, master. Undefined where neither got a commit. */
export function refToBuild(refs: readonly PushedRef[]): PushedRef | undefined {
  const pushed = refs.filter((ref) => !NO_COMMIT.test(ref.to))
  return DEPLOYED.map((name) => pushed.find((ref) => ref.name === name)).find(
    (ref) => ref !== undefined,
  )
}
