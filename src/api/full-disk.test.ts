/** What the API takes while the disk of the data directory, and so the database's, is nearly full. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aSmallDisk } from '../../test/a-small-disk.ts'
import { anApi } from '../../test/an-api.ts'
import { anApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { hasDiskRoom, NO_ROOM_TO_KEEP } from '../lib/disk-room.ts'

const pool = aDatabase()

const MiB = 1024 ** 2

test('on a full disk nothing is kept by the kilobyte, and what frees room goes on', async (t) => {
  const [full, roomy] = [aSmallDisk(t, 16 * MiB), aSmallDisk(t, 4096 * MiB)]
  let disk = full.mount
  const { call } = await anApi(pool, { hasDiskRoom: () => hasDiskRoom(disk) })
  const made = await anApp(pool)
  await made.deploy()
  const app = `/apps/${made.app.name}`

  const writes: [request: string, body: object][] = [
    [`PATCH ${app}/config-vars`, { NAME: 'value' }],
    [`POST ${app}/builds`, { source_blob: { url: 'https://example.com/a.tgz' } }],
    [`POST ${app}/releases`, { release: 'v3' }],
    [`POST ${app}/dynos`, { command: 'bash' }],
    [
      `POST ${app}/webhooks`,
      { include: ['api:app'], level: 'notify', url: 'https://example.com/' },
    ],
    ['POST /apps', { name: 'one-more' }],
  ]
  for (const [request, body] of writes) {
    const answer = await call(request, body)
    assert.equal(answer.status, 503, request)
    assert.deepEqual(answer.body, { id: 'service_unavailable', message: NO_ROOM_TO_KEEP })
  }
  const refused: [request: string, body: object][] = [
    [`POST ${app}/sni-endpoints`, { certificate_chain: '', private_key: '' }],
    ['POST /teams/apps', { team: 'none' }],
    [`POST ${app}/dynos/web.1`, { command: 'bash' }],
  ]
  for (const [request, body] of refused) {
    assert.equal((await call(request, body)).status, 503, request)
  }
  const stranger = { authorization: 'Bearer nobody' }
  const unknown = await call(`PATCH ${app}/config-vars`, { NAME: 'value' }, stranger)
  assert.equal(unknown.status, 401)

  const frees = async (request: string, body?: object) => {
    const { status } = await call(request, body)
    assert.ok(status >= 200 && status < 300, `${request}: ${status}`)
  }
  await frees(`GET ${app}/config-vars`)
  await frees(`PATCH ${app}/formation/web`, { quantity: 0 })
  await frees(`PATCH ${app}`, { maintenance: true })
  await frees(`DELETE ${app}/dynos`)

  disk = roomy.mount
  for (const [request, body] of writes) await frees(request, body)
  disk = full.mount
  await frees(`DELETE ${app}`)
})
