import { once } from 'node:events'
import type { Socket } from 'node:net'

import { SECOND } from '../lib/clock.ts'
import { frame, framesIn } from '../lib/frames.ts'

/** A client at the front door, which ends its TLS and passes each of its records on as a frame. */
export interface Client {
  /** What it sends, record by record; they end when it goes. */
  readonly records: AsyncIterator<Buffer>
  /** Aborts when it is gone, though records of it may be left. */
  readonly gone: AbortSignal
  /** Sends the bytes as one record; resolves when there is room for more, rejects once it is gone. */
  send(bytes: Uint8Array): Promise<void>
  /** Sends what is under way, then ends the connection. */
  end(): void
}

/** Read ahead, so that it is seen to go while nobody reads; a record has 16 KiB at most. */
const MOST_RECORDS = 64
/** Beyond that nothing is read. That it is gone shows then in what can't be sent: a frame of nothing. */
const PROBE_EVERY = 5 * SECOND
const NOTHING = new Uint8Array()

export function clientBehind(socket: Socket, probeEvery: number = PROBE_EVERY): Client {
  const read: Buffer[] = []
  const gone = new AbortController()
  let [wakeReader, wakeFiller] = [() => {}, () => {}]
  socket.on('error', () => {
    // That it is gone is told by its records' end, and by what can't be sent.
  })
  void fill()

  return {
    records: records(),
    gone: gone.signal,
    send,
    end: () => void socket.end(),
  }

  async function fill(): Promise<void> {
    try {
      for await (const record of framesIn(socket)) {
        read.push(record)
        wakeReader()
        if (read.length >= MOST_RECORDS) await room()
      }
    } catch {
      // As good an end as any.
    }
    gone.abort()
    wakeReader()
  }

  async function room(): Promise<void> {
    const taken = new Promise<void>((resolve) => (wakeFiller = resolve))
    const probing = setInterval(() => {
      send(NOTHING).catch(() => socket.destroy())
    }, probeEvery)
    try {
      if (!socket.closed) await Promise.race([taken, once(socket, 'close')])
    } finally {
      clearInterval(probing)
    }
  }

  function send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      socket.write(frame(bytes), (error) => (error ? reject(error) : resolve()))
    })
  }

  async function* records(): AsyncGenerator<Buffer> {
    for (;;) {
      const record = read.shift()
      wakeFiller()
      if (record) yield record
      else if (gone.signal.aborted) return
      else await new Promise<void>((resolve) => (wakeReader = resolve))
    }
  }
}
