import { fork } from 'node:child_process'
import { join } from 'node:path'

import { program } from './settings.ts'
import type { Tale } from './narrator.ts'

/** Runs `up` in the background and returns once it is ready, or its exit code if it never is. */
export function detachedUp(args: readonly string[]): Promise<number> {
  const child = fork(
    join(program, 'bin', 'mayfly.ts'),
    ['up', ...args.filter((it) => it !== '--detach')],
    { cwd: '/', detached: true, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] },
  )
  return new Promise((resolve) => {
    let exitCode = 1
    child.on('message', (tale: Tale) => {
      if (tale.is === 'ready') {
        console.log(tale.text)
        child.disconnect()
        child.unref()
        return resolve(0)
      }
      if (tale.is === 'failed') exitCode = tale.exitCode
      console.error(`mayfly: ${tale.text}`)
    })
    child.once('exit', () => resolve(exitCode))
  })
}
