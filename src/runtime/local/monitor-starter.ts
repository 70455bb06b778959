/**
 * A small process that is forked for each dyno's monitor, in place of this one: to fork a
 * Node with all its memory, and then to load a program, takes as long as what the program
 * does. It is begun when the first dyno starts, ends with us, and is begun anew if it dies;
 * what it has started is its own and stays.
 */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'

import { SCRIPT } from './begin-monitor.ts'

interface Serving {
  readonly process: ChildProcessWithoutNullStreams
  /** By the request's number. */
  readonly asked: Map<string, PromiseWithResolvers<string>>
  heard: string
}

export class MonitorStarter {
  #serving: Serving | undefined
  #last = 0

  /**
   * Starts a process as begin-monitor.pl is told to. Resolves to the line of JSON by which
   * it says that it has begun, or to its last words.
   */
  async begin(args: readonly string[]): Promise<string> {
    return this.#ask(args)
  }

  /** How many signals that process may have queued, and all that come of it. */
  async limitSignals(pid: number, most: number): Promise<void> {
    const refusal = await this.#ask(['limit', process.arch, String(pid), String(most)])
    if (refusal !== '') throw new Error(refusal)
  }

  async #ask(args: readonly string[]): Promise<string> {
    const serving = (this.#serving ??= this.#serve())
    const id = String(++this.#last)
    const answer = Promise.withResolvers<string>()
    serving.asked.set(id, answer)
    hold(serving)
    const request = Buffer.from(args.map((it) => `${it}\0`).join(''))
    serving.process.stdin.write(`${id} ${request.length}\n`)
    serving.process.stdin.write(request)
    return answer.promise
  }

  #serve(): Serving {
    const child = spawn('perl', ['-w', SCRIPT, 'serve'], {
      cwd: '/',
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      stdio: 'pipe',
    })
    const serving: Serving = { process: child, asked: new Map(), heard: '' }
    let complaints = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text))
    child.stdout.setEncoding('utf8').on('data', (text: string) => hear(serving, text))
    child.stdin.on('error', () => {}) // it is gone, and `close` says so
    const gone = (error?: Error) => {
      if (this.#serving === serving) this.#serving = undefined
      for (const { reject } of serving.asked.values()) {
        reject(
          new Error(`nobody starts monitors: ${complaints.trim()}`, { cause: error }),
        )
      }
    }
    child.once('error', gone)
    child.once('close', () => gone())
    return serving
  }
}

function hear(serving: Serving, text: string): void {
  const lines = (serving.heard + text).split('\n')
  serving.heard = lines.pop() ?? ''
  for (const line of lines) {
    const [id = ''] = line.split(' ', 1)
    serving.asked.get(id)?.resolve(line.slice(id.length + 1))
    serving.asked.delete(id)
  }
  hold(serving)
}

/** This process waits for it only while there is something to wait for. */
function hold({ process: child, asked }: Serving): void {
  const streams = [child.stdin, child.stdout, child.stderr] as unknown as readonly Held[]
  for (const it of [child, ...streams]) {
    if (asked.size > 0) it.ref()
    else it.unref()
  }
}

interface Held {
  ref(): void
  unref(): void
}
