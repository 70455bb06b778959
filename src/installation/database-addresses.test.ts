import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { test } from 'node:test'

import { Pool } from 'pg'

import { databaseAddresses } from './database-addresses.ts'

test('a database is where its connections lead', async (t) => {
  const { PGHOST } = process.env
  const far = createServer((socket) => {
    const server = connect(`${PGHOST}/.s.PGSQL.${process.env['PGPORT'] ?? 5432}`)
    for (const it of [socket, server]) it.on('error', () => undefined)
    socket.pipe(server).pipe(socket)
  }).listen(0, '127.0.0.1')
  await once(far, 'listening')
  const { port } = far.address() as AddressInfo
  const pool = new Pool({ host: '127.0.0.1', port, database: 'postgres' })
  t.after(async () => {
    await pool.end()
    far.close()
  })
  const addresses = databaseAddresses(pool)
  assert.deepEqual(addresses(), [])
  await Promise.all([pool.query('select 1'), pool.query('select 1')])
  assert.deepEqual(addresses(), ['127.0.0.1'])
})

test('one that is reached by a Unix socket has none', async (t) => {
  const pool = new Pool({ database: 'postgres' })
  t.after(() => pool.end())
  const addresses = databaseAddresses(pool)
  await pool.query('select 1')
  assert.deepEqual(addresses(), [])
})
