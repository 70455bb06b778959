/** What a router's HAProxy says of itself. */

import assert from 'node:assert/strict'

import { ask } from '../src/router/haproxy-socket.ts'
import { routerPaths } from '../src/router/router-paths.ts'
import type { ARouter } from './a-router.ts'

type Place = Pick<ARouter, 'directory'>

/** Its answer to a command; throws without one. */
export async function saidByHaproxy(
  { directory }: Place,
  command: string,
): Promise<string> {
  const answer = await ask(routerPaths(directory).adminSocket, [command])
  assert.ok(answer.is === 'answered', answer.is)
  return answer.text
}

/** Whether all of these, such as apps, stand in the table of who is held. */
export async function isHeld(
  { directory }: Place,
  ...all: readonly string[]
): Promise<boolean> {
  const answer = await ask(routerPaths(directory).adminSocket, ['show table held'])
  return answer.is === 'answered' && all.every((it) => answer.text.includes(it))
}

/** The process of HAProxy that serves now: another after a reload. */
export async function workerOf(router: Place): Promise<string> {
  const [, pid] = /^Pid: (\d+)$/m.exec(await saidByHaproxy(router, 'show info')) ?? []
  return pid ?? ''
}
