/**
 * A real browser, Chromium without a window, steered by its DevTools protocol. It runs no
 * script of any page: what works here works without.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { until } from './until.ts'

export interface ABrowser {
  open(url: string): Promise<void>
  /** As a reader sees the page. */
  text(): Promise<string>
  /** The address, as JSON has it, and other things that only a page knows. */
  evaluate(expression: string): Promise<unknown>
  /** Types into the fields that have these labels, and presses Enter in the last one. */
  fills(fields: Readonly<Record<string, string>>): Promise<void>
  clicks(button: string): Promise<void>
  sees(what: RegExp): Promise<void>
  close(): Promise<void>
}

export async function aBrowser(): Promise<ABrowser> {
  const directory = mkdtempSync(join(tmpdir(), 'mayfly-browser-'))
  const child = spawn(
    'chromium-headless-shell',
    // Tests are root's, and Chromium's sandbox is for nobody but other users.
    ['--no-sandbox', `--user-data-dir=${directory}`, '--remote-debugging-port=0'],
    { stdio: 'ignore', detached: true },
  )
  const portFile = join(directory, 'DevToolsActivePort')
  await until('the browser is there', () => /\d+\n\S/.test(readIfThere(portFile)))
  const [port = ''] = readIfThere(portFile).split('\n')
  const answer = await fetch(`http://127.0.0.1:${port}/json/new?about:blank`, {
    method: 'PUT',
  })
  const { webSocketDebuggerUrl } = (await answer.json()) as {
    readonly webSocketDebuggerUrl: string
  }
  const socket = new WebSocket(webSocketDebuggerUrl)
  await once(socket, 'open')
  const ask = asking(socket)
  await ask('Emulation.setScriptExecutionDisabled', { value: true })

  const browser: ABrowser = {
    async open(url) {
      await ask('Page.navigate', { url })
    },
    text: async () => String(await browser.evaluate('document.body.innerText')),
    async evaluate(expression) {
      const { result } = (await ask('Runtime.evaluate', {
        expression,
        returnByValue: true,
      })) as { readonly result: { readonly value?: unknown } }
      return result.value
    },
    async fills(fields) {
      for (const [label, text] of Object.entries(fields)) {
        const field = `[...document.querySelectorAll('label')].find(
          (it) => it.textContent === ${JSON.stringify(label)})?.control`
        await until(`there is a field "${label}"`, async () =>
          Boolean(await browser.evaluate(`Boolean(${field})`)),
        )
        await browser.evaluate(`${field}.focus(), ${field}.select()`)
        await ask('Input.insertText', { text })
      }
      const key = { key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13 }
      await ask('Input.dispatchKeyEvent', { type: 'keyDown', text: '\r', ...key })
      await ask('Input.dispatchKeyEvent', { type: 'keyUp', ...key })
    },
    async clicks(button) {
      await browser.evaluate(`[...document.querySelectorAll('button')].find(
        (it) => it.textContent === ${JSON.stringify(button)}).click()`)
    },
    sees: (what) =>
      until(`the page says ${what}`, async () => what.test(await browser.text())),
    async close() {
      socket.close()
      // With everything it started.
      process.kill(-(child.pid ?? 0), 'SIGKILL')
      await once(child, 'close')
      rmSync(directory, { recursive: true, maxRetries: 5 })
    },
  }
  return browser
}

function readIfThere(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

interface Reply {
  readonly id?: number
  readonly result?: object
  readonly error?: { readonly message: string }
}

/** One question at a time or many: an answer has its question's number. */
function asking(socket: WebSocket) {
  let asked = 0
  return (method: string, params: object): Promise<object> => {
    const id = ++asked
    return new Promise((resolve, reject) => {
      const heard = ({ data }: MessageEvent) => {
        const reply = JSON.parse(String(data)) as Reply
        if (reply.id !== id) return
        socket.removeEventListener('message', heard)
        if (reply.error) reject(new Error(`${method}: ${reply.error.message}`))
        else resolve(reply.result ?? {})
      }
      socket.addEventListener('message', heard)
      socket.send(JSON.stringify({ id, method, params }))
    })
  }
}
