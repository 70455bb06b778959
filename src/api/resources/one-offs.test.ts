import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApi } from '../../../test/an-api.ts'
import { anApp, secrets } from '../../../test/an-app.ts'
import { aDatabase } from '../../../test/postgres.ts'
import type { DynoId } from '../../model/ids.ts'
import { LONGEST_LINE } from '../../model/log-line.ts'
import { digestOf } from '../../model/token.ts'
import { findOneOff } from '../../store/one-offs.ts'

const pool = aDatabase()

async function world() {
  const { call } = await anApi(pool)
  const made = await anApp(pool)
  await made.deploy(
    { web: 'node index.js', migrate: 'node migrate.js' },
    { MODE: 'fast' },
  )
  const app = `/apps/${made.app.name}`
  const run = (body: object) => call(`POST ${app}/dynos`, body)
  const log = async () => {
    const { rows } = await pool.query<{ line: string }>(
      `select source || '[' || ps || ']: ' || message as line from log_lines
        where app = $1 order by id`,
      [made.app.id],
    )
    return rows.map((row) => row.line)
  }
  return { call, made, app, run, log }
}

test('a detached one-off is told of, listed, and handed to its keeper', async () => {
  const { run, log, call, app } = await world()
  const { status, body } = await run({ command: 'migrate --to 7 $MODE' })
  assert.equal(status, 201)
  assert.match(String(body.name), /^run\.\d{1,4}$/)
  const { state, type, size, command, attach_url } = body
  assert.deepEqual(
    { state, type, size, command, attach_url },
    {
      state: 'starting',
      type: 'run',
      size: 'Standard-1X',
      command: 'node migrate.js --to 7 $MODE',
      attach_url: null,
    },
  )
  assert.deepEqual((await log()).slice(-2), [
    'app[api]: Starting process with command `migrate --to 7 $MODE` by user dev@example.com',
    `heroku[${body.name}]: Starting process with command \`node migrate.js --to 7 fast\``,
  ])
  const { rows } = await pool.query(`select kind from work where subject = $1`, [body.id])
  assert.deepEqual(rows, [{ kind: 'one-off' }])
  const { body: listed } = await call(`GET ${app}/dynos/${body.name}`)
  assert.equal(listed.id, body.id)
})

test('an attached one-off has a secret of which only the digest is kept', async () => {
  const { run, log } = await world()
  const { body } = await run({
    command: 'bash',
    attach: true,
    env: { TERM: 'xterm', COLUMNS: 120, LINES: 40 },
  })
  const [, secret = ''] =
    /^rendezvous:\/\/localhost:5080\/([\w-]{22,})$/.exec(String(body['attach_url'])) ?? []
  const id = String(body.id) as DynoId
  const { rows } = await pool.query<{ digest: Buffer }>(
    'select attach_secret_sha256 as digest from one_offs where dyno = $1',
    [id],
  )
  assert.deepEqual(rows[0]?.digest, digestOf(secret))
  assert.equal((await log()).at(-1), `heroku[${body.name}]: Awaiting client`)
  const found = await findOneOff(pool, id)
  assert.ok(found)
  assert.deepEqual(found.oneOff.terminal, { columns: 120, rows: 40 })
  assert.deepEqual(JSON.parse(secrets.open(found.environment, found.oneOff.app)), {
    TERM: 'xterm',
    COLUMNS: '120',
    LINES: '40',
  })
})

test('without a terminal the client talks through pipes', async () => {
  const { run } = await world()
  const { body } = await run({ command: 'cat', attach: true, force_no_tty: true })
  const found = await findOneOff(pool, String(body.id) as DynoId)
  assert.equal(found?.oneOff.terminal, null)
  assert.equal(found.oneOff.attached, true)
})

const refused: readonly [what: string, body: object, status: number][] = [
  ['no command', { command: ' ' }, 422],
  ['a command of more than 32 KB', { command: 'é'.repeat(16 * 1024 + 1) }, 422],
  ['a command with a NUL', { command: 'a\0b' }, 422],
  ['half a character', { command: 'echo \ud800' }, 422],
  ['a life of more than a day', { command: 'x', time_to_live: 86_401 }, 422],
  ['a size there is not', { command: 'x', size: 'huge' }, 422],
  ['a type that is none', { command: 'x', type: 'a b' }, 422],
  ['a command that no program takes', { command: 'x'.repeat(128 * 1024) }, 413],
  ['a variable that is none', { command: 'x', env: { 'A B': '1' } }, 422],
  ['a name of 256 letters', { command: 'x', env: { ['A'.repeat(256)]: '1' } }, 422],
]
for (const [what, body, expected] of refused) {
  test(`${what} is refused`, async () => {
    const { run } = await world()
    const { status, body: answer } = await run(body)
    assert.equal(status, expected, JSON.stringify(answer))
    assert.equal(answer.id, expected === 413 ? 'payload_too_large' : 'invalid_params')
  })
}

test('a command of 32 KB runs, and the log shows what fits in a line of it', async () => {
  const { run, log } = await world()
  const command = `: ${'x'.repeat(32 * 1024 - 2)}`
  assert.equal((await run({ command })).status, 201)
  const lines = await log()
  assert.deepEqual(
    lines.slice(-2).map((line) => line.slice(line.indexOf(': ') + 2).length),
    [LONGEST_LINE, LONGEST_LINE],
  )
})

test('an Eco app runs one at a time, of its own tier', async () => {
  const { call, run, app } = await world()
  const updates = ['web', 'migrate'].map((type) => ({ type, size: 'eco' }))
  assert.equal((await call(`PATCH ${app}/formation`, { updates })).status, 200)
  const first = await run({ command: 'bash' })
  assert.deepEqual([first.status, first.body['size']], [201, 'Eco'])
  const second = await run({ command: 'bash' })
  assert.equal(second.body.id, 'cannot_run_above_limit')
  const another = await run({ command: 'bash', size: 'standard-1x' })
  assert.equal(another.status, 422)
})

test('a restart leaves it alone; to stop it by its type wakes its keeper', async () => {
  const { call, run, app } = await world()
  const { body } = await run({ command: 'bash' })
  const asked = async () => {
    const { rows } = await pool.query<{ asked: boolean }>(
      'select restart_requested_at is not null as asked from dynos where id = $1',
      [body.id],
    )
    return rows[0]?.asked
  }
  assert.equal((await call(`DELETE ${app}/dynos`)).status, 202)
  assert.equal((await call(`DELETE ${app}/dynos/${body.name}`)).status, 404)
  assert.equal(await asked(), false)
  assert.equal((await call(`POST ${app}/formations/run/actions/stop`)).status, 202)
  assert.equal(await asked(), true)
})

test('an app without code runs nothing', async () => {
  const { call } = await anApi(pool)
  const { app } = await anApp(pool)
  const { status, body } = await call(`POST /apps/${app.name}/dynos`, { command: 'bash' })
  assert.deepEqual([status, body.id], [422, 'invalid_params'])
})
