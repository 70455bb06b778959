import { connect, type Socket } from 'node:net'

import type { ARouter } from './a-router.ts'

/** All until it is hung up on, after it said `bytes`; `then`: what else it does once it is connected. */
export function whatAClientGets(
  { port }: Pick<ARouter, 'port'>,
  bytes: string,
  then: (client: Socket) => void = () => {},
): Promise<string> {
  return new Promise((resolve) => {
    let got = ''
    const client = connect(port, '127.0.0.1', () => {
      client.write(bytes, 'latin1')
      then(client)
    })
    client.setEncoding('latin1').on('data', (text: string) => (got += text))
    client.on('error', () => {}).on('close', () => resolve(got))
  })
}
