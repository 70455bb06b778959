import { request } from 'node:http'
import { join } from 'node:path'

import type { DataDirectory } from '../installation/data-directory.ts'
import { SECOND } from '../lib/clock.ts'

const DEADLINE = 5 * SECOND

/** What `logs` answers at its own socket, parsed. Throws where it does not, or not in time. */
export function askLogs(data: DataDirectory, path: string): Promise<unknown> {
  const socketPath = join(data.run('logs'), 'http.sock')
  const signal = AbortSignal.timeout(DEADLINE)
  return new Promise((resolve, reject) => {
    request({ socketPath, path, signal }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('error', reject)
      response.on('end', () => {
        if (response.statusCode !== 200) {
          reject(new Error(`logs answered ${response.statusCode} to ${path}`))
          return
        }
        resolve(JSON.parse(text))
      })
    })
      .on('error', reject)
      .end()
  })
}
