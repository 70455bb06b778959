/**
 * What the script `mayfly` does to the machine before any TypeScript runs. It is run in a mount namespace where the guards
 * of packages and /var/cache lie in a directory of the test's, and finds an apt-get, an id and a sudo of the test's first.
 */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'

const program = join(import.meta.dirname, '..', 'mayfly')

interface Machine {
  readonly root: string
  /** Where a package's guards lie. */
  readonly policy: string
  readonly cluster: string
  /** Puts a program before all others. */
  has(name: string, lines: string): void
  /** What its fakes wrote there. */
  told(name: string): string
  mayfly(args: readonly string[], env?: Record<string, string>): Ended
}

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** `held`: the package that is on hold there; all others that Mayfly wants are installed. */
function aMachine(t: TestContext, held?: string): Machine {
  const root = mkdtempSync(join(tmpdir(), 'script-'))
  t.after(() => rmSync(root, { recursive: true }))
  for (const it of ['sbin', 'createcluster.d', 'cache', 'bin', 'dpkg', 'tmp']) {
    mkdirSync(join(root, it))
  }
  const wanted = /^PACKAGES="([^"]*)"/m.exec(readFileSync(program, 'utf8'))?.[1] ?? ''
  const status = wanted.split(/\s+/).map(
    (it) => `Package: ${it}
Status: ${it === held ? 'hold' : 'install'} ok installed
Architecture: all
Version: 1
Maintainer: nobody
Description: there
`,
  )
  writeFileSync(join(root, 'dpkg/status'), status.join('\n'))
  const has = (name: string, lines: string) => {
    writeFileSync(join(root, 'bin', name), `#!/bin/sh\n${lines}\n`)
    chmodSync(join(root, 'bin', name), 0o755)
  }
  has('apt-get', `echo "$@" >>${root}/apt`)
  const enter = `mkdir -p /etc/postgresql-common/createcluster.d
    mount --bind ${root}/sbin /usr/sbin
    mount --bind ${root}/createcluster.d /etc/postgresql-common/createcluster.d
    mount --bind ${root}/cache /var/cache
    exec "$@"`
  return {
    root,
    policy: join(root, 'sbin/policy-rc.d'),
    cluster: join(root, 'createcluster.d/zz-mayfly.conf'),
    has,
    told: (name) =>
      existsSync(join(root, name)) ? readFileSync(join(root, name), 'utf8') : '',
    mayfly(args, env = {}) {
      const inside = ['--mount', 'sh', '-ec', enter, 'sh', program, ...args]
      return spawnSync('/usr/bin/unshare', inside, {
        encoding: 'utf8',
        env: {
          PATH: `${root}/bin:${process.env.PATH}`,
          DPKG_ADMINDIR: `${root}/dpkg`,
          TMPDIR: `${root}/tmp`,
          ...env,
        },
      })
    },
  }
}

test('a package that is on hold is there: no command asks apt-get for it', (t) => {
  const machine = aMachine(t, 'haproxy')
  const ended = machine.mayfly(['env', '--data', machine.root])
  assert.equal(machine.told('apt'), '')
  assert.doesNotMatch(ended.stderr, /installing Debian packages/)
})

test('a package that is missing is installed, under guards that go', (t) => {
  const machine = aMachine(t)
  writeFileSync(join(machine.root, 'dpkg/status'), '')
  machine.has(
    'apt-get',
    `echo "$@" >>${machine.root}/apt; /usr/sbin/policy-rc.d; echo $? >>${machine.root}/apt`,
  )
  machine.has('systemctl', 'true')
  machine.mayfly(['env', '--data', machine.root])
  assert.match(machine.told('apt'), /^update -qq\n101\ninstall .* haproxy .*\n101\n$/)
  assert.deepEqual([machine.policy, machine.cluster].filter(existsSync), [])
})

test('what a killed installation left behind goes with the next command', (t) => {
  const machine = aMachine(t)
  machine.has('apt-get', 'kill -9 $PPID')
  machine.mayfly(['install-packages', 'haproxy'])
  assert.ok(existsSync(machine.policy) && existsSync(machine.cluster))

  machine.has('apt-get', `echo "$@" >>${machine.root}/apt`)
  const ended = machine.mayfly(['env', '--data', machine.root])
  assert.match(ended.stderr, /removing what an installation .* left behind/)
  assert.equal(machine.told('apt'), '')
  assert.deepEqual([machine.policy, machine.cluster].filter(existsSync), [])
})

test("a policy-rc.d that is somebody else's stays", (t) => {
  const machine = aMachine(t)
  writeFileSync(machine.policy, '#!/bin/sh\nexit 101\n')
  machine.mayfly(['install-packages', 'haproxy'])
  assert.match(machine.told('apt'), /install .*haproxy/)
  assert.ok(existsSync(machine.policy))
  assert.ok(!existsSync(machine.cluster))
})

test("a user's environment goes to root by no argument, and by a file that root removes", (t) => {
  const machine = aMachine(t)
  const { root } = machine
  machine.has('id', 'echo 1000')
  // The true one clears the environment; in place of Node, this one has it printed.
  machine.has(
    'sudo',
    `echo "$@" >${root}/arguments
     stat --format=%a "$3" >${root}/mode
     exec env -i "$1" "$2" "$3" env >${root}/environment`,
  )
  const DATABASE_URL = `postgres://mayfly:it's "$HOME" \\'a\\ secret@db/mayfly`
  const ended = machine.mayfly(['env', '--data', root], {
    DATABASE_URL,
    MAYFLY_STACKS: '/srv/my stacks',
    NODE_OPTIONS: '--no-warnings',
  })
  assert.equal(ended.status, 0, ended.stderr)
  assert.match(machine.told('arguments'), /mayfly with-environment .* env --data /)
  assert.doesNotMatch(machine.told('arguments'), /secret/)
  assert.equal(machine.told('mode'), '600\n')
  const environment = machine.told('environment').split('\n')
  assert.ok(environment.includes(`DATABASE_URL=${DATABASE_URL}`))
  assert.ok(environment.includes('MAYFLY_STACKS=/srv/my stacks'))
  assert.ok(!environment.some((it) => /^(NODE_OPTIONS|GIT_SSL_CAINFO)=/.test(it)))
  assert.deepEqual(readdirSync(join(root, 'tmp')), [])
})

test('where sudo refuses, the file goes, too, and its status is the status', (t) => {
  const machine = aMachine(t)
  machine.has('id', 'echo 1000')
  machine.has('sudo', 'exit 7')
  assert.equal(machine.mayfly(['env']).status, 7)
  assert.deepEqual(readdirSync(join(machine.root, 'tmp')), [])
})

test('what Node compiles for root is kept where only root writes', (t) => {
  const machine = aMachine(t)
  const handed = join(machine.root, 'handed')
  const cacheOf = (env: Record<string, string>) => {
    writeFileSync(handed, '')
    const { stdout } = machine.mayfly(['with-environment', handed, 'env'], env)
    return /^NODE_COMPILE_CACHE=(.*)$/m.exec(stdout)?.[1]
  }
  assert.equal(cacheOf({ NODE_COMPILE_CACHE: '/srv/mine' }), '/srv/mine')
  assert.deepEqual(readdirSync(join(machine.root, 'cache')), [])

  assert.equal(cacheOf({}), '/var/cache/mayfly/compiled')
  const { uid, mode } = statSync(join(machine.root, 'cache/mayfly/compiled'))
  assert.deepEqual([uid, mode & 0o7777], [0, 0o700])
  assert.equal(statSync(join(machine.root, 'cache/mayfly')).mode & 0o7777, 0o755)
})
