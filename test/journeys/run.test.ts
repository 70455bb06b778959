/** Commands that somebody talks to: the genuine CLI, with and without a terminal. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import ssh2 from 'ssh2'

import { sshKeyPair } from '../../src/rendezvous/ssh-key-pair.ts'
import { freePort } from '../free-ports.ts'
import { aTerminal, type ATerminal } from '../a-terminal.ts'
import { until } from '../until.ts'
import { aJourney } from './a-journey.ts'
import { anApp, type PushedApp } from './a-pushed-app.ts'

const cli = join(import.meta.dirname, '../../node_modules/.bin/heroku')
let app: PushedApp
/** A one-off dyno whose client is gone. */
let unheeding: string
const journey = aJourney({
  regions: ['us'],
  begin: async (it) => {
    app = await anApp(it, { source: 'examples/hello-node', name: 'talker' })
    await app.push('First')
  },
})

test('run prints what the command does, and the log tells of the rest', async () => {
  const ran = await run(['--', 'echo', 'hi'])
  assert.deepEqual([ran.status, ran.stdout], [0, 'hi\n'])
  const [, name] = /(run\.\d+)/.exec(ran.stderr) ?? []
  await until('the log tells of its end', async () =>
    (await app.log()).includes(`heroku[${name}]: State changed from up to complete`),
  )
  const lines = (await app.log()).split('\n').filter((line) => line.includes(`[${name}]`))
  assert.deepEqual(
    lines.map((line) => line.slice(line.indexOf('heroku['))),
    [
      'Awaiting client',
      'Starting process with command `echo hi`',
      'State changed from starting to up',
      'Process exited with status 0',
      'State changed from up to complete',
    ].map((line) => `heroku[${name}]: ${line}`),
  )
})

test('run has the exit status of the command, if asked', async () => {
  const ran = await run(['--exit-code', '--', `sh -c 'echo out; exit 3'`])
  assert.deepEqual([ran.status, ran.stdout], [3, 'out\n'])
})

test('run gives the command what it is given', async () => {
  for (const [args, echoed] of [
    [['--no-tty', '--', 'cat'], 'one\ntwo\n'],
    // A terminal shows what is typed, and CRLF is made LF by the CLI.
    [['--', 'cat'], 'one\ntwo\n'.repeat(2)],
  ] as const) {
    const ran = await run(args, 'one\ntwo\n')
    assert.equal(ran.status, 0, ran.stderr)
    const [lines, expected] = [ran.stdout, echoed].map((it) => it.split('\n').toSorted())
    assert.deepEqual(lines, expected)
  }
})

test('thirty million bytes come whole, and the exit status behind them', async () => {
  const command = 'head -c 30000000 /dev/zero | tr "\\0" x; echo'
  const ran = await run(['--no-tty', '--exit-code', '--', command])
  assert.equal(ran.status, 0, ran.stderr)
  assert.ok(ran.stdout.trimEnd() === 'x'.repeat(30_000_000))
})

test('run:inside runs a command in a dyno that is up', async () => {
  const inside = (...command: readonly string[]) =>
    talk(['run:inside', 'web.1', '--app', app.name, '--exit-code', '--', ...command])
  const ran = await inside(`echo "$DYNO"; cat /proc/[0-9]*/comm | sort -u; false`)
  assert.equal(ran.status, 1, ran.stderr)
  assert.match(ran.stdout, /^web\.1\n[^]*^MainThread$[^]*^mayfly-init$/m)
  await until('the log tells of it', async () =>
    /app\[api\]: Starting process with command `.*` inside web\.1 by user /.test(
      await app.log(),
    ),
  )
  const nowhere = await talk(['run:inside', 'web.7', '--app', app.name, '--', 'true'])
  assert.notEqual(nowhere.status, 0)
  assert.match(nowhere.stderr, /Couldn't find that dyno/)
})

test('a terminal is one: its size, its keys, Ctrl-C', async () => {
  const session = atTerminal(['bash'])
  await session.sees(/\$ $/)
  session.types('stty size; tty\r')
  await session.sees(/33 101\s+\/dev\/pts\/0/)
  // What is typed is shown before anything has begun.
  session.types(`sh -c 'echo be""gun; exec sleep 1000'\r`)
  await session.sees(/begun\s/)
  session.types('\u0003')
  await session.sees(/\^C[^]*\$ $/)
  session.types('exit 0\r')
  assert.equal(await session.ended, 0)
})

test('a session outlives the manager', async () => {
  const session = atTerminal(['bash'])
  await session.sees(/\$ $/)
  await journey.killPart('manager-us')
  session.types('echo still here $((6 * 7))\r')
  await session.sees(/still here 42/)
  session.types('exit 0\r')
  assert.equal(await session.ended, 0)
  await until('all is well again', () => journey.isWell())
})

test('a command whose client goes ends, unless it does not want to', async () => {
  // It is left alone after fifteen seconds: until then there is else to do.
  unheeding = await hungUpOn(`trap '' HUP; echo 'rea''dy'; sleep 1000`)
  const heeding = await hungUpOn(`echo 'rea''dy'; sleep 1000`)
  await until('it has ended', async () =>
    told(await app.log(), `heroku[${heeding}]: Process exited with status 129`),
  )
})

test('ps:exec asks to be let in once, and then runs a command in a dyno', async () => {
  const first = await exec(['ps:exec', '--', 'cat', '/proc/1/comm'], 'y\n')
  assert.equal(first.status, 0, first.stderr)
  assert.match(first.stdout, /requires a dyno restart/)
  const ran = await exec([
    'ps:exec',
    '--',
    'echo "$DYNO $HOME"; id -u; tty; cat /proc/1/comm',
  ])
  assert.equal(ran.status, 0, ran.stderr)
  assert.match(ran.stdout, /web\.1 \/app\s+1000\s+\/dev\/pts\/\d+\s+mayfly-init/)
  // Whom a client left in the test before is told of meanwhile, too: the API's lines alone.
  await until('the log tells of it', async () =>
    /Opened web\.1 for Heroku Exec by user .*\n.*Starting process with command `echo .*` inside web\.1 by user /.test(
      await app.log({ source: 'app', dyno: 'api' }),
    ),
  )
  const nowhere = await exec(['ps:exec', '--dyno', 'web.7', '--', 'true'])
  assert.notEqual(nowhere.status, 0)
})

test('ps:exec is a shell with a terminal', async () => {
  const session = atTerminal(['ps:exec'])
  await session.sees(/\$ $/)
  session.types('echo "I am $((6 * 7)) in $PWD"; stty size\r')
  await session.sees(/I am 42 in \/app\s+24 80/)
  session.types('exit\r')
  assert.equal(await session.ended, 0)
})

test('ps:exec --status names the dynos that can be entered', async () => {
  const { stdout } = await exec(['ps:exec', '--status'])
  assert.match(stdout, /web\.1\s+up\s+running/)
})

test('ps:copy fetches a file', async () => {
  const output = join(journey.home, 'copied')
  const made = await exec([
    'ps:exec',
    '--',
    'head -c 300000 /dev/zero | tr "\\0" x >/tmp/big',
  ])
  assert.equal(made.status, 0, made.stderr)
  const ran = await exec(['ps:copy', '/tmp/big', '--output', output])
  assert.equal(ran.status, 0, ran.stderr)
  assert.equal(readFileSync(output, 'utf8'), 'x'.repeat(300_000))
})

test('ps:forward leads to a port of the dyno', async () => {
  const port = String(await freePort())
  const { address, port: its } = await webDyno()
  const forwarding = talking(['ps:forward', '--app', app.name, `${port}:${its}`])
  try {
    await until('it listens', () => /SOCKSv5.*1080/.test(forwarding.said()))
    await until('it answers', () =>
      fetch(`http://127.0.0.1:${port}/`).then(
        (answer) => answer.ok,
        () => false,
      ),
    )
  } finally {
    await forwarding.end()
  }
  // Not from here: only the router is let through.
  assert.ok(address.startsWith('172.'))
})

test('a command that does not heed it is hung up on three times, and said to be detached', async () => {
  await until('it is said to be detached', async () =>
    told(await app.log(), `heroku[${unheeding}]: Error R16 (Detached)`),
  )
  const hangUps = 'Client connection closed. Sending SIGHUP to all processes'
  assert.equal((await app.log()).split(`heroku[${unheeding}]: ${hangUps}`).length - 1, 3)
  await app.heroku('ps:stop', unheeding)
  await nothingLeft()
})

test('who has no key of the dyno, or none of the app, is not let in', async () => {
  const door = await reserve('web.1')
  const others = sshKeyPair()
  await assert.rejects(sshTo(door, others.private), /authentication methods failed/)
  await assert.rejects(
    sshTo({ ...door, client_user: 'f'.repeat(32) }, door.private),
    /authentication methods failed/,
  )
  await sshTo(door, door.private)
  const unknown = await execManager('web.1', 'wrong', door.public)
  assert.equal(unknown.status, 401)
  const noKey = await execManager('web.1', apiKey(), 'no key')
  assert.equal(noKey.status, 422)

  await journey.replaces(app.name, () => app.heroku('ps:restart', 'web.1'))
  await assert.rejects(sshTo(door, door.private), /authentication methods failed/)
})

test('all sessions end with rendezvous, and their processes with them', async () => {
  const session = atTerminal([`echo 'rea''dy'; sleep 1000`])
  await session.sees(/ready/)
  await journey.killPart('rendezvous')
  await session.ended
  await nothingLeft()
  const ran = await run(['--', 'echo', 'again'])
  assert.equal(ran.stdout, 'again\n')
})

interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Without a terminal; `input` is all that there is to read. */
function run(args: readonly string[], input = ''): Promise<Ran> {
  return talk(['run', '--app', app.name, ...args], input)
}

function talk(args: readonly string[], input = ''): Promise<Ran> {
  const { home: cwd, env } = journey
  const child = spawn(cli, args, { cwd, env })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin.end(input)
  return new Promise((resolve) => {
    child.once('close', (status) => resolve({ status, stdout, stderr }))
  })
}

function exec(args: readonly string[], input = ''): Promise<Ran> {
  const [command = '', ...rest] = args
  return talk([command, '--app', app.name, ...rest], input)
}

/** A command that runs until it is ended. */
function talking(args: readonly string[]) {
  const { home: cwd, env } = journey
  const child = spawn(cli, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const it of [child.stdout, child.stderr]) {
    it.setEncoding('utf8').on('data', (piece: string) => (text += piece))
  }
  return {
    said: () => text,
    async end() {
      child.kill('SIGKILL')
      await new Promise((resolve) => child.once('close', resolve))
    },
  }
}

interface ExtendedDyno {
  readonly extended: { readonly ip: string; readonly port: number }
}

async function webDyno(): Promise<{ readonly address: string; readonly port: number }> {
  const path = `/apps/${app.name}/dynos/web.1?extended=true`
  const { extended } = (await journey.api('GET', path)) as ExtendedDyno
  return { address: extended.ip, port: extended.port }
}

const apiKey = () => journey.env['HEROKU_API_KEY'] ?? ''

function execManager(dyno: string, token: string, key: string): Promise<Response> {
  const credentials = Buffer.from(`${app.name}:${token}`).toString('base64')
  return fetch(`${journey.env['HEROKU_HOST']}/api/v2/${dyno}`, {
    method: 'PUT',
    headers: {
      authorization: `Basic ${credentials}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ client_key: key }),
  })
}

interface Door {
  readonly tunnel_host: string
  readonly client_user: string
}

async function reserve(dyno: string) {
  const pair = sshKeyPair()
  const answer = await execManager(dyno, apiKey(), pair.public)
  assert.equal(answer.status, 200)
  return { ...((await answer.json()) as Door), ...pair }
}

/** Resolves once it is let in. */
function sshTo({ tunnel_host: host, client_user: username }: Door, privateKey: string) {
  return new Promise<void>((resolve, reject) => {
    const client = new ssh2.Client()
    client.once('ready', () => {
      client.end()
      resolve()
    })
    client.once('error', reject)
    client.connect({ host, port: 80, username, privateKey })
  })
}

/** The name of the dyno whose client goes once the command has said that it is ready. */
async function hungUpOn(command: string): Promise<string> {
  const session = atTerminal([command])
  await session.sees(/ready/)
  const [name] = /run\.\d+/.exec(session.seen()) ?? []
  assert.ok(name)
  session.vanishes()
  return name
}

/** A command of the CLI, and somebody who types. */
function atTerminal(args: readonly string[]): ATerminal {
  const its =
    args[0] === 'ps:exec'
      ? ['ps:exec', '--app', app.name]
      : ['run', '--app', app.name, '--', args.join(' ')]
  return aTerminal([cli, ...its], { cwd: journey.home, env: journey.env })
}

function told(log: string, ...lines: readonly string[]): boolean {
  return lines.every((line) => log.includes(line))
}

/** Only the web dyno holds anything. */
async function nothingLeft(): Promise<void> {
  await until('nothing of one-offs is left', () => journey.containers('us') === 1)
}
