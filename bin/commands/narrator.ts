/**
 * How `up` speaks. In the foreground: to the terminal. Detached: to the log, and for as long
 * as the command that started it listens, to that, which prints it.
 */

import { appendFileSync, existsSync } from 'node:fs'

import { causesOf } from '../../src/lib/log.ts'
import type { DataDirectory } from '../../src/installation/data-directory.ts'
import { Refusal } from '../../src/installation/refusal.ts'

/** None of these throws. */
export interface Narrator {
  /** One thing a person should know. */
  readonly say: (sentence: string) => void
  /** Everything serves; `text` says what to do next. */
  readonly ready: (text: string) => void
  readonly failed: (error: unknown) => void
}

/** What a detached `up` tells whoever started it. */
export type Tale =
  | { readonly is: 'sentence' | 'ready'; readonly text: string }
  | { readonly is: 'failed'; readonly text: string; readonly exitCode: number }

export function narrator(data: DataDirectory): Narrator {
  if (!process.send) return terminalNarrator
  const tell = (tale: Tale) => {
    // Before set-up there is no log; what is not ours is not written to.
    if (existsSync(data.programLogs)) append(data.logFile('supervisor'), tale.text)
    if (process.connected) process.send?.(tale, undefined, undefined, () => {})
  }
  return {
    say: (text) => tell({ is: 'sentence', text }),
    ready: (text) => tell({ is: 'ready', text }),
    failed: (error) => tell({ is: 'failed', ...failure(error) }),
  }
}

/** As far as there is room: who speaks has more to do than that. */
function append(log: string, text: string): void {
  try {
    appendFileSync(log, `${new Date().toISOString()} ${text}\n`)
  } catch {
    // The sentence that could say so has no place either.
  }
}

const terminalNarrator: Narrator = {
  say: (sentence) => console.error(`mayfly: ${sentence}`),
  ready: (text) => console.log(text),
  failed: (error) => console.error(`mayfly: ${failure(error).text}`),
}

function failure(error: unknown): { readonly text: string; readonly exitCode: number } {
  if (error instanceof Refusal) return { text: error.message, exitCode: error.exitCode }
  return { text: causesOf(error).join('\ncaused by: '), exitCode: 1 }
}
