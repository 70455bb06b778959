/** One short message over a websocket (RFC 6455), and what comes back. */

import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import type { Duplex } from 'node:stream'

import { toThisMachine } from './ask.ts'

const TEXT_FRAME = 0x81
const MASKED = 0x80
const SHORT = 125

/** Rejects unless the upgrade succeeds and a text frame comes back. `message`: at most 125 bytes. */
export async function echoByWebsocket(url: string, message: string): Promise<string> {
  const socket = await upgrade(url)
  try {
    socket.write(textFrame(message))
    return await firstText(socket)
  } finally {
    socket.destroy()
  }
}

function upgrade(url: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const asked = request(url, {
      ...toThisMachine,
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': randomBytes(16).toString('base64'),
      },
    })
    asked.on('upgrade', (_response, socket) => resolve(socket))
    asked.on('response', ({ statusCode }) => reject(new Error(`answered ${statusCode}`)))
    asked.on('error', reject)
    asked.end()
  })
}

function textFrame(message: string): Buffer {
  const payload = Buffer.from(message)
  if (payload.length > SHORT) throw new RangeError('too long a message')
  const mask = randomBytes(4)
  const masked = payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0))
  return Buffer.concat([Buffer.from([TEXT_FRAME, MASKED | payload.length]), mask, masked])
}

function firstText(socket: Duplex): Promise<string> {
  return new Promise((resolve, reject) => {
    let got = Buffer.alloc(0)
    socket.on('data', (piece: Buffer) => {
      got = Buffer.concat([got, piece])
      const length = got[1] ?? Infinity
      if (got[0] === TEXT_FRAME && got.length >= 2 + length) {
        resolve(got.subarray(2, 2 + length).toString())
      }
    })
    socket.on('end', () => reject(new Error('the websocket was closed')))
    socket.on('error', reject)
  })
}
