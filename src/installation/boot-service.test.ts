import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'

import { bootService, enableAtBoot, environmentText, unitText } from './boot-service.ts'
import { dataDirectory, type Installation } from './data-directory.ts'
import { Refusal } from './refusal.ts'

const installation: Installation = {
  id: 'abcdef',
  apiPort: 5080,
  domain: 'localhost',
  regions: [],
}

test('the usual installation has the plain name, another its own', () => {
  assert.equal(
    bootService(dataDirectory('/var/lib/mayfly'), installation).name,
    'mayfly.service',
  )
  assert.equal(
    bootService(dataDirectory('/srv/b'), installation).name,
    'mayfly-abcdef.service',
  )
})

test('its command is words, whatever the directories are called', () => {
  const data = dataDirectory('/srv/my $HOME "100%"')
  const text = unitText(bootService(data, installation), { data, program: '/opt/a b' })
  assert.match(
    text,
    /^ExecStart="\/opt\/a b\/mayfly" up --existing --data "\/srv\/my \$\$HOME \\"100%%\\""$/m,
  )
  assert.match(text, /^EnvironmentFile=-\/srv\/my \$HOME "100%%"\/service-environment$/m)
})

test('it waits for the disks of what it needs, behind links too', () => {
  const data = dataDirectory('/srv/my $HOME "100%"')
  const places = { data, program: '/opt/a b', realRoot: '/mnt/disk' }
  const text = unitText(bootService(data, installation), places)
  const paths = String.raw`"/srv/my $HOME \"100%%\"" "/mnt/disk" "/opt/a b"`
  assert.ok(text.split('\n').includes(`RequiresMountsFor=${paths}`), text)
})

test('where the machine waits for the time, it begins after that', () => {
  const data = dataDirectory('/var/lib/mayfly')
  const text = unitText(bootService(data, installation), { data, program: '/opt/mayfly' })
  assert.match(text, /^After=.*\btime-sync\.target$/m)
})

test('it outlives a part of it that the kernel ended for memory', () => {
  const data = dataDirectory('/var/lib/mayfly')
  const text = unitText(bootService(data, installation), { data, program: '/opt/mayfly' })
  assert.ok(text.split('\n').includes('OOMPolicy=continue'), text)
})

test('it ends alone, and is begun anew only when it failed', () => {
  const data = dataDirectory('/var/lib/mayfly')
  const text = unitText(bootService(data, installation), { data, program: '/opt/mayfly' })
  for (const line of [
    'KillMode=process',
    'Restart=on-failure',
    'WantedBy=multi-user.target',
  ])
    assert.ok(text.split('\n').includes(line), line)
})

test('the environment has what up looks at, quoted, and nothing else', () => {
  assert.equal(
    environmentText({
      HOME: '/root',
      DATABASE_URL: 'postgresql://a:p"$`\\w@b/c',
      GIT_SSL_CAINFO: undefined,
      MAYFLY_STACKS: '/srv/stacks of ours',
    }),
    'DATABASE_URL="postgresql://a:p\\"\\$\\`\\\\w@b/c"\nMAYFLY_STACKS="/srv/stacks of ours"\n',
  )
})

test(
  'where systemd does not run the machine that is said, and what to do',
  { skip: existsSync('/run/systemd/system') && 'it runs this one' },
  async () => {
    const made = enableAtBoot(dataDirectory('/srv/b'), installation, {
      program: '/opt/mayfly',
      present: {},
    })
    await assert.rejects(made, (error) => {
      assert.ok(error instanceof Refusal)
      assert.match(
        error.message,
        /`\/opt\/mayfly\/mayfly up --existing --data \/srv\/b` at boot\.$/,
      )
      return true
    })
  },
)
