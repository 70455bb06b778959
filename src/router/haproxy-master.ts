/** HAProxy's master: it reloads, and leads to the workers of before a reload. These keep the connections they have. */

import { pause, SECOND } from '../lib/clock.ts'
import { type Answer, ask } from './haproxy-socket.ts'
import { parseOldWorkers } from './live-router.ts'
import type { RouterPaths } from './router-paths.ts'

type Sockets = Pick<RouterPaths, 'adminSocket' | 'masterSocket'>

/** How long a master may be away, in milliseconds. It takes some ten, and more where a machine has much to do. */
const AWAY = 10 * SECOND
/** How long a worker may take that ends. Milliseconds. */
const LAST_WORDS = SECOND
const POLL = 20

/** Has a worker begin with the files as they are now; false: no HAProxy runs. */
export async function reload(paths: Sockets): Promise<boolean> {
  // What is said to a master that is just beginning anew is lost.
  await processes(paths)
  const told = await ask(paths.masterSocket, ['reload'])
  return told.is !== 'absent'
}

/**
 * How many reloads in a row its worker could not be replaced by; 0 where no HAProxy runs. `haproxy -c` does
 * not ask whether a port is free, for one.
 */
export async function failedReloads(paths: Sockets): Promise<number> {
  return Number(/ \[failed: (\d+)\]/.exec(await processes(paths))?.[1] ?? 0)
}

/**
 * What each old worker answers to the commands; one that has ended has nothing to say. Throws where
 * one that is there does not answer.
 */
export async function askOldWorkers(
  paths: Sockets,
  commands: readonly string[],
): Promise<string[]> {
  const answers: string[] = []
  // One by one: a master takes ten connections at a time.
  for (const pid of await oldWorkers(paths)) {
    const answer = await askWorker(paths, pid, commands)
    if (answer !== undefined) answers.push(answer)
  }
  return answers
}

/** Undefined: it has ended. */
async function askWorker(
  paths: Sockets,
  pid: number,
  commands: readonly string[],
): Promise<string | undefined> {
  const deadline = AbortSignal.timeout(LAST_WORDS)
  const its = commands.map((it) => `@!${pid} ${it}`)
  for (;;) {
    const answer = await ask(paths.masterSocket, its)
    if (isWord(answer)) return answer.text
    if (!(await oldWorkers(paths)).includes(pid)) return undefined
    if (deadline.aborted) {
      throw new Error(`HAProxy's worker ${pid} is silent: ${wordsOf(answer)}`)
    }
    await pause(POLL)
  }
}

/** Their pids; none where no HAProxy runs. */
async function oldWorkers(paths: Sockets): Promise<readonly number[]> {
  return parseOldWorkers(await processes(paths))
}

/**
 * What the master says of itself and its workers; nothing where no HAProxy runs. A master begins anew once it has begun a worker: that one serves
 * already while the master's socket refuses, or closes without a word. So its silence says nothing of
 * workers, and it is asked until it answers. Throws where it is away for longer than that may take.
 */
async function processes(paths: Sockets): Promise<string> {
  const deadline = AbortSignal.timeout(AWAY)
  for (;;) {
    const answer = await ask(paths.masterSocket, ['show proc'])
    if (isWord(answer) && answer.text.includes('# workers\n')) return answer.text
    const worker = await ask(paths.adminSocket, ['show version'])
    if (worker.is === 'absent') return ''
    if (deadline.aborted) throw new Error(`HAProxy's master is away: ${wordsOf(answer)}`)
    await pause(POLL)
  }
}

function isWord(answer: Answer): answer is Answer & { readonly is: 'answered' } {
  return (
    answer.is === 'answered' &&
    answer.text !== '' &&
    !answer.text.includes("Can't find the target PID")
  )
}

function wordsOf(answer: Answer): string {
  if (answer.is === 'failed') return answer.error.message
  return answer.is === 'absent' ? 'its socket refuses' : answer.text.slice(0, 200)
}
